/* The lexer: tokens of each kind, what lies in templates, and its messages. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "hcl/lex.h"

static const char *const names[] = {
        "eof", "nl", "#",  "id", "num", "\"", "\"", "<<", ">>", "q", "t",  "${", "%{", "}$", "{",
        "}",   "[",  "]",  "(",  ")",   "=",  ":",  "::", ",",  ".", "..", "=>", "?",  "||", "&&",
        "!",   "==", "!=", "<",  "<=",  ">",  ">=", "+",  "-",  "*", "/",  "%",  "bad"};

/* "id'a' = num'1' eof": types, and the text of those that have one. */
static char *tokens_text(const char *text, size_t len, bool template, struct diags *diags)
{
        struct source_text *source = source_text_new("test.hcl", text, len);
        struct hcl_tokens tokens = template ? hcl_lex_template(source, diags) : hcl_lex(source, diags);
        CLEANUP_STR struct str out = {0};
        size_t end = 0;

        for (size_t i = 0; i < tokens.n; i++) {
                const struct hcl_token *token = &tokens.v[i];

                str_addf(&out, "%s%s", i > 0 ? " " : "", names[token->type]);
                if (token->type == HCL_TOKEN_COMMENT || token->type == HCL_TOKEN_IDENT ||
                    token->type == HCL_TOKEN_NUMBER || token->type == HCL_TOKEN_QUOTED || token->type == HCL_TOKEN_TEXT)
                        str_addf(&out, "'%.*s'", (int)(token->end - token->start), text + token->start);
                assert_true(token->start >= end && token->end >= token->start && token->end <= len);
                end = token->end;
        }
        assert_int_equal(tokens.v[tokens.n - 1].type, HCL_TOKEN_EOF);
        hcl_tokens_free(&tokens);
        source_text_free(source);
        return str_steal(&out);
}

static void expect_tokens(const char *text, bool template, const char *expected)
{
        struct diags diags = {0};
        CLEANUP_FREE char *got = tokens_text(text, strlen(text), template, &diags);

        if (diags.list.n > 0)
                fail_msg("%s: %s", text, diags.list.v[0].summary);
        assert_string_equal(got, expected);
}

static void test_bodies(void **state)
{
        (void)state;
        expect_tokens("", false, "eof");
        expect_tokens("a = 1\n", false, "id'a' = num'1' nl eof");
        expect_tokens("a=1\r\n\tb", false, "id'a' = num'1' nl id'b' eof");
        expect_tokens("\xef\xbb\xbf"
                      "a",
                      false, "id'a' eof");
        expect_tokens("x-y_z1 -a", false, "id'x-y_z1' - id'a' eof");
        expect_tokens("h\xc3\xb6he_e\xcc\x81 _x", false, "id'h\xc3\xb6he_e\xcc\x81' id'_x' eof");
        expect_tokens("a # b\n// c\r\n/* d\n */ e", false, "id'a' #'# b' nl #'// c' nl #'/* d\n */' id'e' eof");
        expect_tokens("# end", false, "#'# end' eof");
        expect_tokens("... :: : => == != <= >= < > && || ! ? , . [ ] ( ) + - * / %", false,
                      ".. :: : => == != <= >= < > && || ! ? , . [ ] ( ) + - * / % eof");
}

static void test_numbers(void **state)
{
        (void)state;
        expect_tokens("1.5e-3 1e+5 2E9", false, "num'1.5e-3' num'1e+5' num'2E9' eof");
        expect_tokens("1...", false, "num'1' .. eof");
        expect_tokens("a.0.b 1.x", false, "id'a' . num'0' . id'b' num'1' . id'x' eof");
        expect_tokens("a.0.1", false, "id'a' . num'0.1' eof");
        expect_tokens("1e 1ex 0x10", false, "num'1' id'e' num'1' id'ex' num'0' id'x10' eof");
}

static void test_quoted(void **state)
{
        (void)state;
        expect_tokens("\"\"", false, "\" \" eof");
        expect_tokens("\"a\\\"b\\\\\"", false, "\" q'a\\\"b\\\\' \" eof");
        expect_tokens("\"a${b}c%{~ if d ~}\"", false, "\" q'a' ${ id'b' }$ q'c' %{ id'if' id'd' }$ \" eof");
        expect_tokens("\"$${a} %%{b} $ % $$ 5%\"", false, "\" q'$${a} %%{b} $ % $$ 5%' \" eof");
        expect_tokens("\"$$${a}\"", false, "\" q'$$${a}' \" eof");
        expect_tokens("\"${ { a = \"}\" } }\"", false, "\" ${ { id'a' = \" q'}' \" } }$ \" eof");
        expect_tokens("\"${\"${\"x\"}\"}\"", false, "\" ${ \" ${ \" q'x' \" }$ \" }$ \" eof");
        expect_tokens("\"${\n a\n}\"", false, "\" ${ nl id'a' nl }$ \" eof");
}

static void test_heredocs(void **state)
{
        (void)state;
        expect_tokens("<<EOT\na\n  b\nEOT\nc", false, "<< t'a\n' t'  b\n' >> nl id'c' eof");
        expect_tokens("<<-E-1\n  a\n  E-1", false, "<< t'  a\n' >> eof");
        expect_tokens("<<EOT\r\na\r\nEOT\r\n", false, "<< t'a\r\n' >> nl eof");
        expect_tokens("<<EOT\nEOTS\nx EOT\n EOT \n", false, "<< t'EOTS\n' t'x EOT\n' >> nl eof");
}

static void test_heredoc_sequences(void **state)
{
        (void)state;
        expect_tokens("<<E\na${b}c\n${d}E\n%{if x}\nE\n", false,
                      "<< t'a' ${ id'b' }$ t'c\n' ${ id'd' }$ t'E\n' %{ id'if' id'x' }$ t'\n' >> nl eof");
        expect_tokens("<<E\n$${a} \\n \"\nE\n", false, "<< t'$${a} \\n \"\n' >> nl eof");
        expect_tokens("<<A\n${<<B\nA\nB\n}\nA\n", false, "<< ${ << t'A\n' >> nl }$ t'\n' >> nl eof");
}

static void test_bare_templates(void **state)
{
        (void)state;
        expect_tokens("", true, "eof");
        expect_tokens("a\n\"b\"${c}", true, "t'a\n' t'\"b\"' ${ id'c' }$ eof");
        expect_tokens("a\n%{ for x in y ~}\n", true, "t'a\n' %{ id'for' id'x' id'in' id'y' }$ t'\n' eof");
}

struct mistake {
        const char *text, *message;
        size_t start, end;
};

static void expect_mistake(const struct mistake *mistake)
{
        struct diags diags = {0};

        free(tokens_text(mistake->text, strlen(mistake->text), false, &diags));
        if (diags.list.n == 0)
                fail_msg("no message: %s", mistake->text);
        assert_string_equal(diags.list.v[0].summary, mistake->message);
        assert_int_equal(diags.list.v[0].range.start, mistake->start);
        assert_int_equal(diags.list.v[0].range.end, mistake->end);
        assert_int_equal(diags.list.n, 1);
        diags_clear(&diags);
}

static void test_mistakes(void **state)
{
        static const struct mistake mistakes[] = {
                {"a = \"x\nb = 1\n", "this string is not closed: its \" is missing", 4, 6},
                {"a = \"x", "this string is not closed: its \" is missing", 4, 6},
                {"a = <<EOT\nx\n", "this text is not closed: a line with nothing but EOT is missing", 4, 9},
                {"a = <<EOT \nx\nEOT\n", "nothing may follow in the line after <<EOT, no space either", 9, 10},
                {"a = << EOT\n",
                 "a text of several lines begins with << or <<-, a name, and the end of the line: <<EOT", 4, 6},
                {"/* x", "this comment is not closed: its */ is missing", 0, 2},
                {"a = 'x'", "a string is written in double quotes, not in single ones", 4, 5},
                {"a & b", "there is no operator '&'; did you mean '&&'?", 2, 3},
                {"a | b", "there is no operator '|'; did you mean '||'?", 2, 3},
                {"2 ** 3", "there is no operator '**'; write pow(x, y)", 2, 4},
                {"~a", "there is no operator '~'; did you mean '!'?", 0, 1},
                {"a = 1;",
                 "';' has no meaning here: arguments and blocks end with the line, elements are separated by commas", 5,
                 6},
                {"\xe2\x80\x9cx", "a string is written in straight double quotes: \"", 0, 3},
                {"a @ b", "the character '@' has no meaning here", 2, 3},
                {"a \x01", "the control character 0x01 has no meaning here", 2, 3},
                {"a = \"\xff\"", "byte 0xff is not UTF-8; save the file as UTF-8", 5, 6},
                {"a = \"\xed\xa0\x80\"", "byte 0xed is not UTF-8; save the file as UTF-8", 5, 6},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
                expect_mistake(&mistakes[i]);
}

static void test_utf16_and_nul(void **state)
{
        struct diags diags = {0};

        (void)state;
        free(tokens_text("\xff\xfe"
                         "a\0",
                         4, false, &diags));
        assert_string_equal(diags.list.v[0].summary, "test.hcl is UTF-16 text; save it as UTF-8");
        free(tokens_text("a\0b", 3, false, &diags));
        assert_string_equal(diags.list.v[1].summary, "the control character 0x00 has no meaning here");
        diags_clear(&diags);
}

/* A file of nothing but mistakes does not fill the screen. */
static void test_limit(void **state)
{
        struct diags diags = {0};
        char text[1001];
        CLEANUP_FREE char *got = NULL;

        (void)state;
        memset(text, '@', 1000);
        got = tokens_text(text, 1000, false, &diags);
        assert_int_equal(diags.list.n, 20);
        diags_clear(&diags);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bodies),
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_quoted),
                cmocka_unit_test(test_heredocs),
                cmocka_unit_test(test_heredoc_sequences),
                cmocka_unit_test(test_bare_templates),
                cmocka_unit_test(test_mistakes),
                cmocka_unit_test(test_utf16_and_nul),
                cmocka_unit_test(test_limit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
