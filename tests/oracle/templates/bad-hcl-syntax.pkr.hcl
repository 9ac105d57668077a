source "null" "one" {
  communicator = 
}
