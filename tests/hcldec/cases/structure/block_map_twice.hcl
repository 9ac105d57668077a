b "k" "l" {
}
b "k" "l" {
}
