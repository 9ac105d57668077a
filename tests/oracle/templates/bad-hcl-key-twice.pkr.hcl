source "null" "one" {
  communicator = "none"
  communicator = "none"
}
build {
  sources = ["source.null.one"]
}
