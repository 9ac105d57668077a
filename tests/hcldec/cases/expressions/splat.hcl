v = {
  full   = people[*].name
  legacy = people.*.name
  old    = people.*.name[0]
  single = one[*].age
  null   = none[*]
  self   = names[*]
}
