variables {
  a = "1"
  b = "2"
}
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
}
