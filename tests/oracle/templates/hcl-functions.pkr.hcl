locals {
  a = join(",", ["x", "y"])
  b = length([1, 2])
  c = lookup({ k = "v" }, "k", "d")
  d = format("%s-%03d", "n", 7)
  e = [for x in ["a", "b"] : upper(x)]
  f = { for k, v in { a = "b" } : v => k }
  g = true ? 1 : 2
  h = replace("abc", "b", "x")
  i = split(",", "a,b")
  j = try(local.a, "fallback")
  k = jsonencode({ a = 1 })
  l = cidrhost("10.0.0.0/8", 5)
  m = max(1, 2, 3) + 4 * 2 - 10 % 3
  n = concat(["a"], ["b"])
  o = merge({ a = 1 }, { b = 2 })
  p = base64encode("x")
}
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
}
