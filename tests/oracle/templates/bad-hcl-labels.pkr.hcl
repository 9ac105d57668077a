source "null" {
  communicator = "none"
}
