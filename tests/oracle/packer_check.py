#!/usr/bin/python3
"""Hold slipway to what Packer's sources and documentation say of its command line:

    packer_check.py flags SLIPWAY          the options in packer-flags
    packer_check.py lines SLIPWAY          what is printed, by packer-lines
    packer_check.py differences SLIPWAY    what differs with a reason, by packer-differences: that it does

A `packer` that is installed, as Debian's, is held to the blocks that say "as" its version, or an older one: so these tables
are no mere reading. The folder that it is called in is for its files.
"""
import functools
import os
import re
import shutil
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
NULL = '"type": "null", "communicator": "none"'
LOCAL = '"type": "shell-local", "inline"'
HCL = 'source "null" "%s" {\n  communicator = "none"\n}\n'
SAY = '  provisioner "shell-local" {\n    inline = ["%s"]\n  }\n'


def hcl(sources, say=None, before="", named=""):
    """A template with these sources and one step."""
    return (before + "".join(HCL % name for name in sources) + "build {\n" + named
            + "  sources = [%s]\n" % ", ".join('"null.%s"' % name for name in sources) + (SAY % say if say else "") + "}\n")


VARIABLE = 'variable "%s" {\n  default = "%s"\n}\n'
FILES = {
    "ok.pkr.hcl": hcl(["a"], "echo hi, there"),
    "none.pkr.hcl": hcl(["a"]),
    "quiet.pkr.hcl": hcl(["a"], before=VARIABLE % ("who", "nobody")),
    "two.pkr.hcl": hcl(["a", "b"], "echo hi"),
    "vars.pkr.hcl": hcl(["a"], "echo who is ${var.who}", VARIABLE % ("who", "nobody")),
    "v.pkrvars.hcl": 'who = "file"\n',
    "more.pkrvars.hcl": 'who  = "file"\nmore = "x"\n',
    "slow.pkr.hcl": hcl(["a"], "echo started; sleep 60"),
    "uuid.pkr.hcl": hcl(["a"], "echo uuid is $PACKER_RUN_UUID"),
    "named.pkr.hcl": VARIABLE % ("x", "v") + 'locals {\n  y = "z"\n}\n' + HCL % "n"
                     + 'build {\n  name    = "named"\n  sources = ["null.n"]\n' + SAY % "true"
                     + '  post-processor "manifest" {\n  }\n}\n',
    "git.pkr.hcl": 'packer {\n  required_plugins {\n    git = {\n      version = ">= 0.3.2"\n'
                   '      source  = "github.com/ethanmdavidson/git"\n    }\n  }\n}\n',
    "needs.pkr.hcl": 'packer {\n  required_plugins {\n    nowhere = {\n      version = ">= 1.0.0"\n'
                     '      source  = "github.com/nobody/nowhere"\n    }\n  }\n}\n',
    "wrong.pkr.hcl": HCL % "a" + 'build {\n  sources = ["null.nothing"]\n}\n',
    "broken/broken.pkr.hcl": "build {\n",
    "clean.pkr.hcl": "locals { a = 1 }\n",
    "ugly.pkr.hcl": "locals   {a=1}\n",
    "folder/inner/ugly.pkr.hcl": "locals   {a=1}\n",
    "folder/.hidden/ugly.pkr.hcl": "locals   {a=1}\n",
    "whole/ok.pkr.hcl": hcl(["a"], "echo hi, there"),
    "ok.json": '{"builders": [{%s}]}' % NULL,
    "bad.json": '{"builders": [{%s}], "provisioners": [{%s: ["echo hi, there; false"]}]}' % (NULL, LOCAL),
    "half.json": '{"builders": [{"name": "first", %s}, {"name": "second", %s}],'
                 ' "provisioners": [{%s: ["exit 1"], "only": ["second"]}]}' % (NULL, NULL, LOCAL),
    "only.json": '{"builders": [{"name": "one", %s}, {"name": "two", %s}],'
                 ' "provisioners": [{%s: ["echo hi"]}]}' % (NULL, NULL, LOCAL),
    "cleanup.json": '{"builders": [{%s}], "provisioners": [{%s: ["false"]}],'
                    ' "error-cleanup-provisioner": {%s: ["echo mended"]}}' % (NULL, LOCAL, LOCAL),
    "failing.json": '{"builders": [{%s}], "post-processors": [{%s: ["false"]}, {"name": "y", %s: ["echo two"]}]}'
                    % (NULL, LOCAL, LOCAL),
    "retried.pkr.hcl": HCL % "a" + 'build {\n  sources = ["null.a"]\n  provisioner "shell-local" {\n'
                       '    inline            = ["false"]\n    max_retries       = 1\n    pause_before      = "1s"\n'
                       '    continue_on_error = true\n  }\n}\n',
    "order.pkr.hcl": 'data "null" "d" {\n  input = local.a\n}\nlocals {\n  a = "A"\n  b = data.null.d.output\n}\n'
                     + hcl(["a"], "echo b is ${local.b}"),
    "optional.pkr.hcl": 'variable "o" {\n  type = object({\n    a = string\n    b = optional(string, "B")\n  })\n'
                        '  default = {\n    a = "A"\n  }\n}\n' + hcl(["a"], "echo o is ${var.o.a}${var.o.b}"),
    "blank.pkr.hcl": hcl(["a"], "echo; echo end"),
    "unknown.json": '{"builders": [{"type": "strange"}]}',
    "files.json": '{"builders": [{%s}], "post-processors": [{"type": "artifice", "files": ["ok.pkr.hcl"]}]}' % NULL,
    "wrong.json": '{"builders": [{"type": "null", "bogus": true}]}',
    "strange.json": '{"builders": [{%s}], "bogus": 1}' % NULL,
    "needs.json": '{"variables": {"who": null}, "builders": [{%s}]}' % NULL,
    "all.json": '{"description": "Some words", "variables": {"longer": "c", "a": "b", "need": null},'
                ' "builders": [{"name": "first", %s}], "provisioners": [{%s: ["true"]}]}' % (NULL, LOCAL),
    "old.json": '{"builders": [{%s, "iso_md5": "00"}]}' % NULL,
}


def make_files():
    shutil.rmtree("work", ignore_errors=True)
    for name, text in FILES.items():
        path = os.path.join("work", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)


class Run:
    """One run of a program in a folder with the files, and what it said."""

    def __init__(self, program, words, stdin="", env=None, interrupt=""):
        make_files()
        with subprocess.Popen([program, *words], cwd="work", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, start_new_session=True,
                              env={**os.environ, "HOME": os.getcwd(), **(env or {})}) as process:
            first = self.wait_for(process, interrupt) if interrupt else ""
            out, err = process.communicate(stdin, timeout=120)
        self.code, self.out, self.err = process.returncode, (first + out).splitlines(), err.splitlines()

    @staticmethod
    def wait_for(process, pattern):
        """Interrupt the program, and what it runs, as a terminal does, when it has said such a line."""
        said = ""
        for line in process.stdout:
            said += line
            if re.fullmatch(pattern, line.rstrip("\n")):
                os.killpg(process.pid, signal.SIGINT)
                break
        return said

    def text(self):
        return "".join("    %s\n" % line for line in self.out + self.err)


# ---- options ----

COMMANDS = {
    "build": (["build"], "quiet.pkr.hcl"),
    "validate": (["validate"], "vars.pkr.hcl"),
    "inspect": (["inspect"], "vars.pkr.hcl"),
    "console": (["console"], "vars.pkr.hcl"),
    "init": (["init"], "vars.pkr.hcl"),
    "fix": (["fix"], "ok.json"),
    "hcl2_upgrade": (["hcl2_upgrade"], "ok.json"),
    "fmt": (["fmt"], "clean.pkr.hcl"),
    "version": (["version"], None),
    "plugins_required": (["plugins", "required"], "git.pkr.hcl"),
    "plugins_installed": (["plugins", "installed"], None),
    "plugins_install": (["plugins", "install"], "github.com/hashicorp/ansible"),
}
TEXTS = {"only": "null.a", "except": "elsewhere", "var-file": "v.pkrvars.hcl", "output-file": "made.pkr.hcl"}


def forms(name, kind):
    """Words that are right, and words that are wrong."""
    if kind == "switch":
        return [["-" + name]], []
    if kind == "bool":
        right = [f"-{name}", f"--{name}=true", f"-{name}=false", f"-{name}=F"]
        return [[word] for word in right], [[f"-{name}=maybe"]]
    values = {"number": ["1"], "text": [TEXTS.get(name, "x")], "list": [TEXTS.get(name, "x")], "pair": ["who=x=y"]}
    values = values.get(kind) or kind.split("|")
    wrong = [] if kind in ("text", "list") else [[f"-{name}", "nothing"]]
    return [form for value in values
            for form in ([f"-{name}={value}"], [f"-{name}", value], [f"--{name}={value}"])], wrong


@functools.lru_cache(maxsize=None)
def ran(slipway, *words):
    """One run of such words is as good as another."""
    return Run(slipway, words)


def plain(run):
    """What it said, without how long it took."""
    return [re.sub(r"after .*", "after", line) for line in run.out + run.err] + [str(run.code)]


def manual(verb, name):
    """Is the option in the verb's manual page, or in that of all verbs?"""
    pages = ["slipway-%s.1" % verb.split("_")[0] if verb != "hcl2_upgrade" else "slipway-hcl2_upgrade.1", "slipway.1"]
    for page in pages:
        with open(os.path.join(HERE, "../../man", page), encoding="utf-8") as text:
            if re.search(r"^\..*\bFl (.* )?%s( |$)" % re.escape(name), text.read(), re.M):
                return True
    return False


def check_flag(slipway, verb, name, kind, default):
    """The ways in which one option differs: (what, saying)."""
    words, last = COMMANDS[verb]
    tail = [last] if last else []
    usual = ran(slipway, *words, *tail)
    right, wrong = forms(name, kind)
    for form in right:
        run = ran(slipway, *words, *form, *tail)
        if run.code != usual.code:
            yield "taken", f"{' '.join(form)}: exit code {run.code}, {usual.code} without it\n{run.text()}"
    for form in wrong:
        run = ran(slipway, *words, *form, *tail)
        if run.code != 1:
            yield "wrong", f"{' '.join(form)}: exit code {run.code}, 1 was expected\n{run.text()}"
    if kind not in ("bool", "switch") and ran(slipway, *words, "-" + name).code != 1:
        yield "missing", f"-{name} without a value is taken"
    if default != "-":
        run = ran(slipway, *words, f"-{name}={default}", *tail)
        if plain(run) != plain(usual):
            yield "default", f"-{name}={default} changes what is said:\n{run.text()}  without it:\n{usual.text()}"
    if name != "machine-readable" and not re.search(rf"-{name}\b", "\n".join(ran(slipway, *words, "-help").out)):
        yield "help", f"-{name} is not in the help of {' '.join(words)}"
    if not manual(verb, name):
        yield "manual", f"-{name} is in no manual page"


def rows(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as table:
        return [line.rstrip("\n") for line in table if line.strip() and not line.startswith("#")]


def check_flags(slipway):
    differ = {tuple(row.split()[1:4]) for row in rows("packer-differences") if row.startswith("flag ")}
    found, failures = set(), []
    table = rows("packer-flags")
    for row in table:
        verb, name, kind, default, _ = row.split()
        for what, saying in check_flag(slipway, verb, name, kind, default):
            found.add((verb, name, what))
            if (verb, name, what) not in differ:
                failures.append(f"{verb} -{name}: {what}: {saying}")
    failures += [f"{' '.join(key)}: does not differ; take it out of packer-differences" for key in differ - found]
    return len(table), failures


# ---- lines ----

class Block:
    """A command line, and (key, value) rows of what is expected of it."""

    def __init__(self, title):
        self.title, self.rows = title, []

    def all(self, key):
        return [value for name, value in self.rows if name == key]

    def words(self):
        return self.title.split()

    def run(self, program):
        stdin = "".join(self.all("stdin")).replace("\\n", "\n")
        env = dict(pair.split("=", 1) for pair in self.all("env"))
        return Run(program, self.words(), stdin, env, "".join(self.all("interrupt")))


def blocks(name):
    found = []
    for row in rows(name):
        if row.startswith("== "):
            found.append(Block(row[3:]))
        elif not row.startswith("flag "):
            key, _, value = row.partition(" ")
            found[-1].rows.append((key, value))
    return found


def in_order(patterns, lines):
    """The first of `patterns` that no line after that of the one before it matches, or None."""
    at = 0
    for pattern in patterns:
        while at < len(lines) and not re.fullmatch(pattern, lines[at]):
            at += 1
        if at == len(lines):
            return pattern
        at += 1
    return None


def applying(rows, own):
    """The rows without "now" and "once": of what changed since the version of `as`, those that hold for this program."""
    for key, value in rows:
        if key not in ("now", "once"):
            yield key, value
        elif (key == "now") == own:
            yield tuple(value.split(" ", 1))


def unlike(expected, run, merged, own):
    """What of the rows a run does not keep. `merged`: errors are on standard output; `own`: words of slipway too."""
    expected = list(applying(expected, own))
    kinds = ("out", "err", "here") if own else ("out", "err")
    outs = [value for key, value in expected if key in kinds and (merged or key != "err")]
    errs = [] if merged else [value for key, value in expected if key == "err"]
    for stream, lines, patterns in (("output", run.out, outs), ("errors", run.err, errs)):
        missed = in_order(patterns, lines)
        if missed is not None:
            yield f"no line of its {stream} is (at its place) like: {missed}"
    for key, value in expected:
        if key == "code" and run.code != int(value):
            yield f"exit code {run.code}, {value} was expected"
        if key == "none":
            yield from (f"there is a line like {value}: {line}" for line in run.out + run.err if re.fullmatch(value, line))
        if key == "file":
            yield from unlike_file(*value.partition(" ")[::2])


def unlike_file(name, pattern):
    path = os.path.join("work", name)
    if not pattern:
        if os.path.exists(path):
            yield f"{name} is there"
        return
    try:
        with open(path, encoding="utf-8") as text:
            if not any(re.fullmatch(pattern, line.rstrip("\n")) for line in text):
                yield f"no line of {name} is like: {pattern}"
    except OSError:
        yield f"{name} is not there"


def installed_packer():
    """The program and its version, or None."""
    program = shutil.which("packer", path=os.pathsep.join(["/usr/local/bin", "/usr/bin", "/bin"]))
    if not program:
        return None, ()
    said = " ".join(Run(program, ["version"]).out)
    version = re.search(r"Packer v(\d+)\.(\d+)\.(\d+)", said)
    return (program, tuple(map(int, version.groups()))) if version else (None, ())


def is_held(block, version):
    return any(tuple(map(int, since.split("."))) <= version for since in block.all("as"))


def by_packers_name(slipway):
    link = os.path.abspath("packer")
    if not os.path.islink(link):
        os.symlink(slipway, link)
    return link


def check_lines(slipway):
    packer, version = installed_packer()
    failures, n = [], 0
    for block in blocks("packer-lines"):
        runs = [("slipway", slipway, False, True), ("slipway as packer", by_packers_name(slipway), True, True)]
        if packer and is_held(block, version):
            runs.append(("Packer", packer, True, False))
        for name, program, merged, own in runs:
            run = block.run(program)
            failures += [f"{name} {block.title}: {what}\n{run.text()}" for what in unlike(block.rows, run, merged, own)]
        n += sum(key in ("code", "out", "err", "none", "file", "here") for key, _ in applying(block.rows, True))
    return n, failures


def check_differences(slipway):
    packer, version = installed_packer()
    failures, n = [], 0
    for block in blocks("packer-differences"):
        theirs = [tuple(value.split(" ", 1)) if " " in value else (value, "") for value in block.all("packer")]
        run = block.run(by_packers_name(slipway))
        failures += [f"slipway {block.title}: {what}\n{run.text()}" for what in unlike(block.rows, run, True, True)]
        if not list(unlike(theirs, run, True, True)):
            failures.append(f"{block.title}: does as Packer; put it into packer-lines")
        if packer and is_held(block, version):
            run = block.run(packer)
            failures += [f"Packer {block.title}: {what}\n{run.text()}" for what in unlike(theirs, run, True, False)]
        n += 1
    return n, failures


CHECKS = {"flags": check_flags, "lines": check_lines, "differences": check_differences}


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in CHECKS:
        sys.exit(__doc__)
    for name in [name for name in os.environ if name.startswith(("PACKER_", "PKR_VAR_", "SLIPWAY_LOG"))]:
        del os.environ[name]
    os.environ.update({"LC_ALL": "C.UTF-8", "CHECKPOINT_DISABLE": "1", "PACKER_CONFIG_DIR": os.getcwd()})
    os.environ.pop("NO_COLOR", None)
    n, failures = CHECKS[sys.argv[1]](os.path.realpath(sys.argv[2]))
    for failure in failures:
        print(failure)
    print(f"{n} rows; {len(failures)} failures")
    sys.exit(1 if failures or n == 0 else 0)


if __name__ == "__main__":
    main()
