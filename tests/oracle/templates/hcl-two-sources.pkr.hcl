source "null" "one" {
  communicator = "none"
}
source "null" "two" {
  communicator = "none"
}
build {
  sources = [
    "source.null.one",
    "source.null.two",
  ]
}
