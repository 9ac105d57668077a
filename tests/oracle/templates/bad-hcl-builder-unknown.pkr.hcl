source "nosuch" "one" {
}
build {
  sources = ["source.nosuch.one"]
}
