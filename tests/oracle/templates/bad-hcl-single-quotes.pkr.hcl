source 'null' "one" {
}
