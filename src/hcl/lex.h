/* Tokens of HCL's native syntax (hashicorp/hcl, hclsyntax/spec.md, "Lexical
 * Elements"). Spaces are what lies between two tokens; comments and newlines
 * are tokens, so that the parser and the formatter read the same ones. */
#pragma once

#include <stdint.h>

#include "lang/diag.h"

enum hcl_token_type {
        HCL_TOKEN_EOF,     /* the last one, empty */
        HCL_TOKEN_NEWLINE, /* \n or \r\n; not inside templates' text */
        HCL_TOKEN_COMMENT, /* without the newline that ends it */
        HCL_TOKEN_IDENT,
        HCL_TOKEN_NUMBER,
        /* Templates: text is between an opener and a closer, with sequences in it. */
        HCL_TOKEN_OQUOTE,
        HCL_TOKEN_CQUOTE,   /* empty where it is missing */
        HCL_TOKEN_OHEREDOC, /* <<EOT or <<-EOT with the end of its line */
        HCL_TOKEN_CHEREDOC, /* the last line up to the marker's end, without its newline */
        HCL_TOKEN_QUOTED,   /* text in quotes, with its escapes */
        HCL_TOKEN_TEXT,     /* text of a heredoc or of a bare template: at most one line, with its newline */
        HCL_TOKEN_INTERP,   /* ${ or ${~ */
        HCL_TOKEN_CONTROL,  /* %{ or %{~ */
        HCL_TOKEN_SEQ_END,  /* } or ~} of these two */
        /* Brackets and symbols. */
        HCL_TOKEN_OBRACE,
        HCL_TOKEN_CBRACE,
        HCL_TOKEN_OBRACK,
        HCL_TOKEN_CBRACK,
        HCL_TOKEN_OPAREN,
        HCL_TOKEN_CPAREN,
        HCL_TOKEN_EQUAL,
        HCL_TOKEN_COLON,
        HCL_TOKEN_DOUBLE_COLON,
        HCL_TOKEN_COMMA,
        HCL_TOKEN_DOT,
        HCL_TOKEN_ELLIPSIS,
        HCL_TOKEN_FAT_ARROW,
        HCL_TOKEN_QUESTION,
        HCL_TOKEN_OR,
        HCL_TOKEN_AND,
        HCL_TOKEN_BANG,
        HCL_TOKEN_EQUAL_EQUAL,
        HCL_TOKEN_NOT_EQUAL,
        HCL_TOKEN_LESS,
        HCL_TOKEN_LESS_EQUAL,
        HCL_TOKEN_GREATER,
        HCL_TOKEN_GREATER_EQUAL,
        HCL_TOKEN_PLUS,
        HCL_TOKEN_MINUS,
        HCL_TOKEN_STAR,
        HCL_TOKEN_SLASH,
        HCL_TOKEN_PERCENT,
        HCL_TOKEN_INVALID, /* what the language does not have; its message is in diags already */
};

struct hcl_token {
        enum hcl_token_type type;
        uint32_t start, end; /* bytes of the source */
};

/* Zero-initialised is empty. */
struct hcl_tokens {
        const struct source_text *source; /* borrowed */
        struct hcl_token *v;              /* the last one is HCL_TOKEN_EOF */
        size_t n;
};

/* The tokens of a file or an expression. What is wrong becomes messages; the
 * tokens go on after it (but for bad UTF-8: there are none then). */
struct hcl_tokens hcl_lex(const struct source_text *source, struct diags *diags);
/* The same for a text that is a template as a whole. */
struct hcl_tokens hcl_lex_template(const struct source_text *source, struct diags *diags);
/* The same for a part of it, behind which no character stands that could go on with a token (a quote). */
struct hcl_tokens hcl_lex_template_part(const struct range *part, struct diags *diags);
void hcl_tokens_free(struct hcl_tokens *tokens);

/* Length of the identifier at the start of s[0..n), or 0 (UAX #31, with '-' and a leading '_'). */
size_t hcl_ident_length(const char *s, size_t n);
