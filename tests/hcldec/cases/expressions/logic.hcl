v0 = true && false
v1 = !true || true
v2 = true || false && false
v3 = 1 == 1 && 2 == 2 || false
v4 = 1 < 2 == true
v5 = 1 < "2"
v6 = "1" == 1
v7 = "true" == true
v8 = null == null
v9 = null == "a"
v10 = [1, 2] == [1, 2]
v11 = [1, 2] == ["1", 2]
v12 = { a = 1 } == { a = "1" }
v13 = {} == []
v14 = "true" && true
v15 = !"true"
