b {
  x = "q"
}
b {
  x = "q"
}
b {
}
