source "null" "one" {
  communicator = "none"
}
build {
  name        = "image"
  description = "what it is"
  sources     = ["source.null.one"]
}
