source "null" "one" {
  communicator = "none"
}
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
}
