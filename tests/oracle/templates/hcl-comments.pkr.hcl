# one
// two
/* three
   lines */
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
}
