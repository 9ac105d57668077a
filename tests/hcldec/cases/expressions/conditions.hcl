v0 = true ? 1 : "a"
v1 = true ? [1] : []
v2 = true ? [1] : ["a"]
v3 = true ? null : 5
v4 = true ? null : null
v5 = "true" ? 1 : 2
v6 = false ? "a" : 1
v7 = (true ? 1 : 2) + 1
v8 = true ? true : 1
v9 = true ? [null] : ["a"]
v10 = true ? { a = 1, b = "x" } : { a = "y", b = 2 }
v11 = true ? "x" : false ? "y" : "z"
