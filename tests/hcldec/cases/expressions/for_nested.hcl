v0 = [for x in [1, 2] : [for y in [3, 4] : x * y]]
v1 = { for k, v in { a = [1], b = [2] } : k => v[0] }
v2 = [for i, x in ["a", "b"] : "${i}${x}"]
v3 = { for i, x in ["a", "b", "a"] : x => i... }
v4 = [for k, v in {} : k]
v5 = { for k, v in {} : k => v }
v6 = [for x in [1, 2, 3] : x if x > 1]
v7 = [for x in { b = 2, a = 1 } : x]
v8 = { for x in [1, 2] : x => x }
v9 = [for x in [1] : x if "true"]
v10 = [for o in [{ a = { b = 1 } }] : o.a.b]
