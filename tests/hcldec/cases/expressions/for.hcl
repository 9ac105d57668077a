v = {
  list    = [for i, n in names : "${i}:${n}"]
  some    = [for n in names : n if n != "a"]
  grouped = { for i, n in names : n => i... }
  object  = { for p in people : p.name => p.age }
  keys    = [for k, v in one : k]
  empty   = [for x in [] : x.y]
}
