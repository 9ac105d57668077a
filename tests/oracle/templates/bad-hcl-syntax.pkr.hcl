source "null" "one" {
  communicator =
}
