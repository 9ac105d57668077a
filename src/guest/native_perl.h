/* The host's perl for scripts of the guest's. Private to this room. */
#pragma once

#include "guest/native_match.h"

/* The argument that the door gives to it first: what start.pl does comes before everything else. */
#define NATIVE_PERL_PREAMBLE "-M5;BEGIN{require'" NATIVE_PLACE "/start.pl'}"

/* Recognise perl and its compiled modules; has_perl says whether. */
int native_perl_match(struct native_match *match, struct error *err);
