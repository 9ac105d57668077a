/* Patterns of names of builds, as -only and -except take them (and as
 * gobwas/glob reads them): * any text, ? a character, [abc] [a-z] [!a-z] one of
 * some, {arm.*,null.x} one of several patterns, \ before a character that stands for itself. */
#pragma once

#include <stdbool.h>

/* Are all brackets closed, and not too many in each other? */
bool glob_is_valid(const char *pattern);
/* A pattern that is not valid matches nothing but itself. Takes time in proportion to both lengths. */
bool glob_match(const char *pattern, const char *text);
