b "k" "l" {
  x = 1
}
b "k" "m" {
}
b "z" "l" {
}
