sources "null" "one" {
}
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
}
