/* What the files of functions (func_*.c) share. A function is a row
 *
 *     CALL(upper) { ... }
 *     FUNCTION(upper, .returns = &hcl_string, PARAMS({"str", &hcl_string}), .help = "...");
 *
 * and a word in the list below, by which function.c finds it. */
#pragma once

#include <errno.h>

#include "base/str.h"
#include "hcl/function.h"

/* All functions, sorted by name. */
#define HCL_FUNCTIONS(X)                                                                                               \
        X(abs)                                                                                                         \
        X(abspath)                                                                                                     \
        X(alltrue)                                                                                                     \
        X(anytrue)                                                                                                     \
        X(aws_secretsmanager)                                                                                          \
        X(aws_secretsmanager_raw)                                                                                      \
        X(base64decode)                                                                                                \
        X(base64encode)                                                                                                \
        X(base64gzip)                                                                                                  \
        X(basename)                                                                                                    \
        X(bcrypt)                                                                                                      \
        X(can)                                                                                                         \
        X(ceil)                                                                                                        \
        X(chomp)                                                                                                       \
        X(chunklist)                                                                                                   \
        X(cidrhost)                                                                                                    \
        X(cidrnetmask)                                                                                                 \
        X(cidrsubnet)                                                                                                  \
        X(cidrsubnets)                                                                                                 \
        X(coalesce)                                                                                                    \
        X(coalescelist)                                                                                                \
        X(compact)                                                                                                     \
        X(concat)                                                                                                      \
        X(consul_key)                                                                                                  \
        X(contains)                                                                                                    \
        X(convert)                                                                                                     \
        X(csvdecode)                                                                                                   \
        X(dirname)                                                                                                     \
        X(distinct)                                                                                                    \
        X(element)                                                                                                     \
        X(endswith)                                                                                                    \
        X(env)                                                                                                         \
        X(file)                                                                                                        \
        X(filebase64)                                                                                                  \
        X(fileexists)                                                                                                  \
        X(fileset)                                                                                                     \
        X(flatten)                                                                                                     \
        X(floor)                                                                                                       \
        X(format)                                                                                                      \
        X(formatdate)                                                                                                  \
        X(formatlist)                                                                                                  \
        X(indent)                                                                                                      \
        X(index)                                                                                                       \
        X(join)                                                                                                        \
        X(jsondecode)                                                                                                  \
        X(jsonencode)                                                                                                  \
        X(keys)                                                                                                        \
        X(legacy_isotime)                                                                                              \
        X(legacy_strftime)                                                                                             \
        X(length)                                                                                                      \
        X(log)                                                                                                         \
        X(lookup)                                                                                                      \
        X(lower)                                                                                                       \
        X(max)                                                                                                         \
        X(md5)                                                                                                         \
        X(merge)                                                                                                       \
        X(min)                                                                                                         \
        X(parseint)                                                                                                    \
        X(pathexpand)                                                                                                  \
        X(pow)                                                                                                         \
        X(range)                                                                                                       \
        X(regex)                                                                                                       \
        X(regex_replace)                                                                                               \
        X(regexall)                                                                                                    \
        X(replace)                                                                                                     \
        X(reverse)                                                                                                     \
        X(rfc3339_parse)                                                                                               \
        X(rsadecrypt)                                                                                                  \
        X(setintersection)                                                                                             \
        X(setproduct)                                                                                                  \
        X(setunion)                                                                                                    \
        X(sha1)                                                                                                        \
        X(sha256)                                                                                                      \
        X(sha512)                                                                                                      \
        X(signum)                                                                                                      \
        X(slice)                                                                                                       \
        X(sort)                                                                                                        \
        X(split)                                                                                                       \
        X(startswith)                                                                                                  \
        X(strcontains)                                                                                                 \
        X(strrev)                                                                                                      \
        X(substr)                                                                                                      \
        X(sum)                                                                                                         \
        X(templatefile)                                                                                                \
        X(textdecodebase64)                                                                                            \
        X(textencodebase64)                                                                                            \
        X(timeadd)                                                                                                     \
        X(timestamp)                                                                                                   \
        X(title)                                                                                                       \
        X(trim)                                                                                                        \
        X(trimprefix)                                                                                                  \
        X(trimspace)                                                                                                   \
        X(trimsuffix)                                                                                                  \
        X(try)                                                                                                         \
        X(unix_timestamp_parse)                                                                                        \
        X(upper)                                                                                                       \
        X(urlencode)                                                                                                   \
        X(uuidv4)                                                                                                      \
        X(uuidv5)                                                                                                      \
        X(values)                                                                                                      \
        X(vault)                                                                                                       \
        X(yamldecode)                                                                                                  \
        X(yamlencode)                                                                                                  \
        X(zipmap)

#define FUNC_DECLARE(name) extern const struct hcl_function hcl_function_##name;
HCL_FUNCTIONS(FUNC_DECLARE)
#undef FUNC_DECLARE

#define CALL(function) static const struct hcl_value *call_##function(struct hcl_call *call)
#define FUNCTION(function, ...)                                                                                        \
        const struct hcl_function hcl_function_##function = {.name = #function, .call = call_##function, __VA_ARGS__}
#define PARAMS(...)                                                                                                    \
        .params = (const struct hcl_param[]){__VA_ARGS__},                                                             \
        .n_params = sizeof((const struct hcl_param[]){__VA_ARGS__}) / sizeof(struct hcl_param)
#define VARIADIC(...)                                                                                                  \
        .variadic = &(const struct hcl_param)                                                                          \
        {                                                                                                              \
                __VA_ARGS__                                                                                            \
        }

enum {
        FUNC_TEXT_MAX = 64 << 20,    /* bytes of a text that a function makes */
        FUNC_ELEMENTS_MAX = 1 << 20, /* elements of a collection that is larger than what went in */
        FUNC_DEPTH_MAX = 256,        /* nesting of JSON and YAML */
};

extern const struct hcl_type func_any_list, func_any_set, func_bool_list, func_number_list, func_string_list,
        func_string_set;

/* Set the call's error and, unless it is FUNC_WHOLE, the argument it is about; returns NULL. */
#define FUNC_WHOLE SIZE_MAX
const struct hcl_value *func_fail(struct hcl_call *call, size_t arg, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* The unknown result of a function that takes unknown arguments, and needs what is not known yet. */
const struct hcl_value *func_unknown(struct hcl_call *call);

/* An argument as text; it is one. */
struct hcl_string func_text(const struct hcl_call *call, size_t arg);
/* An argument as an integer; false, with the error set, if it is none of 64 bits. */
bool func_int(struct hcl_call *call, size_t arg, int64_t *ret);
/* An argument as float64, rounded; false, with the error set, if it is too large. */
bool func_double(struct hcl_call *call, size_t arg, double *ret);

/* The text as a value; an error if it is longer than FUNC_TEXT_MAX. */
const struct hcl_value *func_string(struct hcl_call *call, const struct str *text);
/* A list of strings. */
const struct hcl_value *func_list_of_strings(struct hcl_call *call, const struct hcl_value *const *v, size_t n);
/* What is computed in float64 has its 53 bits. An error for NaN. */
const struct hcl_value *func_number(struct hcl_call *call, double number);

bool func_is_sequence(const struct hcl_value *value); /* list, set, tuple */
bool func_is_mapping(const struct hcl_value *value);  /* map, object */
bool func_is_text(const struct hcl_value *value, const char *text, size_t len);
bool func_valid_utf8(const char *s, size_t len);
/* The byte at which the UTF-8 text's n-th grapheme cluster ends, or the text's end; *ret_n: how many there were. */
size_t func_clusters(struct hcl_string text, size_t n, size_t *ret_n);

/* JSON as Go writes it: without blanks, "<>&" escaped. Values must be known. */
int func_json(struct str *out, struct arena *arena, const struct hcl_value *value, struct error *err);
/* Base64 (RFC 4648 section 4) without line breaks. */
void func_base64(struct str *out, const void *data, size_t n);
/* NULL if it is no base64; line breaks in it are ignored. The arena's. */
const char *func_base64_decode(struct arena *arena, struct hcl_string text, size_t *ret_len);
/* As Go's filepath.Clean: without "//", "/./" and "x/..". */
const char *func_clean(struct arena *arena, const char *path);
/* The contents of the file which the argument names: UTF-8. NULL with the error set. */
const char *func_read_text(struct hcl_call *call, size_t arg, const char **ret_path, size_t *ret_len);

/* A point in time, and the zone it was written in. */
struct func_time {
        int64_t unix_s;
        int64_t ns;
        int offset_s; /* east of UTC */
};
/* RFC 3339 with `separator` between date and time. NULL, or what is wrong with it. */
const char *func_time_parse(struct hcl_string text, char separator, struct func_time *ret);
/* As RFC 3339 without a fraction. */
const struct hcl_value *func_time_value(struct hcl_call *call, const struct func_time *time);

static inline void func_mpfr_clear(mpfr_t *number)
{
        mpfr_clear(*number);
}
#define CLEANUP_MPFR CLEANUP(func_mpfr_clear)
