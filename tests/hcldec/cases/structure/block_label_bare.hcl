b k {
  x = "q"
}
