source "null" "one" {
  communicator = "none"
}
source "null" "unused" {
  communicator = "none"
}
build {
  sources = ["source.null.one"]
}
