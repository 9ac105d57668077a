source "null" "one" {
  communicater = "none"
}
build {
  sources = ["source.null.one"]
}
