a = var.x["y"].z[0] + var.list[var.i].q
b = [for k, v in local.m : "${k}${v.x}${other.y}" if v.ok]
c = { plain = 1, (key.name) = fn(arg.a, arg.b...) }
d = src[*].name
