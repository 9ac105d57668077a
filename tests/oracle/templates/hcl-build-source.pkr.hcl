source "null" "one" {
  communicator = "none"
}
build {
  source "source.null.one" {
    name = "renamed"
  }
}
