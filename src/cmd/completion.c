/* slipway completion: scripts for bash and zsh, from the tables of commands
 * and options. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cmd/cmd.h"

/* What an option's value or a command's argument is, by the word that the help has for it. */
enum complete { COMPLETE_NOTHING, COMPLETE_FILE, COMPLETE_FOLDER, COMPLETE_TEMPLATE };

static enum complete kind_of(const char *argument)
{
        static const struct {
                const char *word;
                enum complete kind;
        } kinds[] = {{"TEMPLATE", COMPLETE_TEMPLATE}, {"FOLDER", COMPLETE_FOLDER}, {"DIR", COMPLETE_FOLDER},
                     {"FILE", COMPLETE_FILE},         {"IMAGE", COMPLETE_FILE},    {"PATH", COMPLETE_FILE}};

        for (size_t i = 0; argument && i < sizeof(kinds) / sizeof(kinds[0]); i++)
                if (strstr(argument, kinds[i].word))
                        return kinds[i].kind;
        return COMPLETE_NOTHING;
}

/* The words that the first argument may be: a table's, or "a|b|c ..." as the help has it. The caller frees. */
static char *first_words(const struct command *command)
{
        const char *arguments = command->arguments ? command->arguments : "";
        CLEANUP_FREE char *first = xstrndup(arguments, strcspn(arguments, " "));
        bool plain = strchr(first, '|') && strspn(first, "abcdefghijklmnopqrstuvwxyz|") == strlen(first);

        if (command->words)
                return strv_join(command->words(), " ");
        return plain ? str_replace(first, "|", " ") : xstrdup("");
}

/* ---- bash ---- */

static void bash_options(const struct command *command)
{
        CLEANUP_FREE char *words = first_words(command);

        printf("  %s)\n    options='-help", command->name);
        for (size_t i = 0; i < command->n_options; i++)
                if (command->options[i].help)
                        printf(" -%s%s", command->options[i].name, command->options[i].argument ? "=" : "");
        printf("'\n    words='%s' kind=%d\n    ;;\n", words, kind_of(command->arguments));
}

static void bash_values(const struct command *command)
{
        for (size_t i = 0; i < command->n_options; i++) {
                const struct option_spec *option = &command->options[i];
                CLEANUP_FREE char *choices = option->choices ? strv_join(option->choices, " ") : NULL;

                if (option->argument && option->help)
                        printf("  %s:-%s) values='%s' kind=%d ;;\n", command->name, option->name,
                               choices ? choices : "", choices ? COMPLETE_NOTHING : (int)kind_of(option->argument));
        }
}

static const char bash_head[] =
        "# bash completion for slipway, made by 'slipway completion bash'. Needs no other package.\n"
        "_slipway() {\n"
        "  local cur=${COMP_WORDS[COMP_CWORD]} option='' command='' command_at=0 argument=0 i word\n"
        "  local options='' words='' values='' kind=0 has_value=''\n"
        "  COMPREPLY=()\n"
        "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "    word=${COMP_WORDS[i]}\n"
        "    if [[ $word == -* || $word == = || ${COMP_WORDS[i - 1]} == = ]]; then continue; fi\n"
        "    if [[ -z $command ]]; then command=$word command_at=$i; else argument=$((argument + 1)); fi\n"
        "  done\n"
        "  # -option=value comes as three words, -option value as two.\n"
        "  if [[ $cur == = ]]; then\n"
        "    cur='' option=${COMP_WORDS[COMP_CWORD - 1]}\n"
        "  elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then\n"
        "    option=${COMP_WORDS[COMP_CWORD - 2]}\n"
        "  elif ((COMP_CWORD - 1 > command_at)) && [[ ${COMP_WORDS[COMP_CWORD - 1]} == -* ]]; then\n"
        "    option=${COMP_WORDS[COMP_CWORD - 1]}\n"
        "  fi\n"
        "  [[ $option == --* ]] && option=${option#-}\n"
        "  if [[ -z $command ]]; then\n"
        "    if [[ $cur == -* ]]; then words='-help -machine-readable -version'; else words=$commands; fi\n"
        "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
        "    return\n"
        "  fi\n";

static const char bash_tail[] =
        "  if [[ -z $has_value ]]; then\n"
        "    if [[ $cur == -* ]]; then\n"
        "      mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n"
        "      [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null\n"
        "      return\n"
        "    fi\n"
        "    ((argument == 0)) && values=$words\n"
        "  fi\n"
        "  if [[ -n $values ]]; then\n"
        "    mapfile -t COMPREPLY < <(compgen -W \"$values\" -- \"$cur\")\n"
        "    [[ -n $has_value || ${#COMPREPLY[@]} != 0 ]] && return\n"
        "  fi\n"
        "  case $kind in\n"
        "  1) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
        "  2) mapfile -t COMPREPLY < <(compgen -d -- \"$cur\") ;;\n"
        "  3) mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"; compgen -f -X '!*.json' -- \"$cur\"; "
        "compgen -f -X '!*.hcl' -- \"$cur\") ;;\n"
        "  esac\n"
        "  ((kind == 0)) || compopt -o filenames 2>/dev/null\n"
        "}\n"
        "complete -F _slipway slipway\n";

static void print_bash(void)
{
        CLEANUP_STR struct str names = {0};

        for (const struct command *const *command = commands; *command; command++)
                str_addf(&names, "%s%s", names.len ? " " : "", (*command)->name);
        fwrite(bash_head, 1, strstr(bash_head, "  COMPREPLY") - bash_head, stdout);
        printf("  local commands='%s'\n", str_get(&names));
        fputs(strstr(bash_head, "  COMPREPLY"), stdout);
        puts("  case $command in");
        for (const struct command *const *command = commands; *command; command++)
                bash_options(*command);
        puts("  esac\n  has_value=1\n  case $command:$option in");
        for (const struct command *const *command = commands; *command; command++)
                bash_values(*command);
        puts("  *) has_value='' ;;\n  esac");
        fputs(bash_tail, stdout);
}

/* ---- zsh ---- */

/* A text inside of '...' in the specs of _arguments and _describe: no quotes, brackets or colons. */
static char *zsh_text(const char *text)
{
        struct str out = {0};

        for (; *text; text++) {
                if (strchr("[]:\\", *text))
                        str_addc(&out, '\\');
                if (*text == '\'')
                        str_add(&out, "'\\''");
                else
                        str_addc(&out, *text);
        }
        return str_steal(&out);
}

static const char *zsh_action(enum complete kind)
{
        static const char *const actions[] = {"", "_files", "_files -/", "_files -g \"*.(json|hcl)(-.)\" -g \"*(-/)\""};

        return actions[kind];
}

static void zsh_option(const struct option_spec *option)
{
        CLEANUP_FREE char *help = zsh_text(option->help);
        CLEANUP_FREE char *choices = option->choices ? strv_join(option->choices, " ") : NULL;
        bool many = option->type == OPTION_STRINGS || option->type == OPTION_PAIRS || option->type == OPTION_LIST;

        printf("      '%s-%s%s[%s]", many ? "*" : "", option->name, option->argument ? "=" : "", help);
        if (choices)
                printf(":value:(%s)", choices);
        else if (option->argument)
                printf(":value:%s", zsh_action(kind_of(option->argument)));
        puts("' \\");
}

static void zsh_command(const struct command *command)
{
        CLEANUP_FREE char *words = first_words(command);

        printf("  %s)\n    _arguments \\\n", command->name);
        for (size_t i = 0; i < command->n_options; i++)
                if (command->options[i].help)
                        zsh_option(&command->options[i]);
        puts("      '-help[describe the command]' \\");
        if (*words)
                printf("      '1:argument:{ compadd -- %s || _files }' \\\n", words);
        printf("      '*:argument:%s'\n    ;;\n", zsh_action(kind_of(command->arguments)));
}

static void print_zsh(void)
{
        puts("#compdef slipway\n"
             "# zsh completion for slipway, made by 'slipway completion zsh'.\n"
             "_slipway() {\n"
             "  local -a commands\n"
             "  commands=(");
        for (const struct command *const *command = commands; *command; command++) {
                CLEANUP_FREE char *summary = zsh_text((*command)->summary);

                printf("    '%s:%s'\n", (*command)->name, summary);
        }
        puts("  )\n"
             "  while (( CURRENT > 2 )) && [[ $words[2] == -* ]]; do\n"
             "    shift words\n"
             "    (( CURRENT-- ))\n"
             "  done\n"
             "  if (( CURRENT == 2 )); then\n"
             "    _describe command commands\n"
             "    return\n"
             "  fi\n"
             "  shift words\n"
             "  (( CURRENT-- ))\n"
             "  case $words[1] in");
        for (const struct command *const *command = commands; *command; command++)
                zsh_command(*command);
        puts("  esac\n"
             "}\n"
             "if [[ $funcstack[1] == _slipway ]]; then\n"
             "  _slipway \"$@\"\n"
             "else\n"
             "  compdef _slipway slipway\n"
             "fi");
}

static const struct shell {
        const char *name;
        void (*print)(void);
} shells[] = {{"bash", print_bash}, {"zsh", print_zsh}};

static int run(const struct command *command, int argc, char **argv)
{
        bool nothing;
        int exit_code, first = options_parse_count(command, argc, argv, &nothing, 1, 1, &exit_code);

        if (first < 0)
                return exit_code;
        for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
                if (strcmp(shells[i].name, argv[first]) == 0) {
                        shells[i].print();
                        return 0;
                }
        return command_unknown_word(command, "shell", argv[first], (const char *const[]){"bash", "zsh", NULL});
}

const struct command command_completion = {
        .name = "completion",
        .arguments = "bash|zsh",
        .summary = "Print a script by which bash or zsh completes the command line",
        .help = "  It is installed with slipway. Without that:\n\n"
                "    source <(slipway completion bash)",
        .run = run,
};
