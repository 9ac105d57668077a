group "g" {
  item { v = x.a }
  item { v = x.b }
}
