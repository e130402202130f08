"""Where a function ends: each case is code, with | where the model begins and $ where it is to end."""

import pytest

from longra.tasks.coding.blocks import function_end
from longra.tasks.coding.languages import PYTHON, language_named

PYTHON_CASES = {
    "body": "def f(x):\n|    return x$\n\nprint(f(1))\n",
    "in the head": "def f(|x,\n    y,\n):\n    return x$\ndef g():\n    pass\n",
    "method": "class A:\n    def f(self):\n|        return 1$\n\n    def g(self):\n",
    "nested": "def f():\n|    def g():\n        return 1\n    return g$\nf()\n",
    "inner one": "def f():\n    def g():\n|        return 1$\n    return g\n",
    "string": 'def f():\n|    """Text\nat the margin\n"""\n    return 1$\nx = 1\n',
    "quotes in comments": "def f():\n|    # don't\n    return 'it\\'s'$\nx = 1\n",
    "brackets": "def f():\n|    return [\n1,\n]$\nx = 1\n",
    "comment at the margin": "def f():\n|    x = 1\n# a note\n    return x$\nf()\n",
    "comment of what follows": "def f():\n|    x = 1\n    # inside$\n\n# Test it:\n# so\nf()\n",
    "begun by the model": "import os\n|\n\n@cache\ndef f():\n    return 1$\n\ndef g():\n",
    "after one that has ended": "def f():\n    return 1\n\n\n|def g():\n    return 2$\n\ndef h():\n",
    "async": "|async def f():\n    await g()$\n\nasync def g():\n",
    "goes on": "def f():\n|    return 1\n\n    # more\n",
    "no function": "|x = 1\ny = 2\n",
}
BRACE_CASES = {
    "body": "int f(int x) {\n|    return x;\n}$\nint g() {\n",
    "head too": "|int f(int x)\n{\n    if (x) {\n        return 1;\n    }\n    return 0;\n}$\n\nint main() {\n",
    "in a loop": "void f() {\n    for (;;) {\n|        g();\n    }\n}$\nvoid g() {\n",
    "method": "class A {\n    int f() {\n|        return 1;\n    }$\n    int g() {\n",
    "strings and comments": "void f() {\n|    g(\"}\"); // }\n    /* } */ h('}');\n}$\nvoid g() {\n",
    "callback": "on(() => {\n|    g();\n});$\nh();\n",
    "goes on": "void f() {\n|    if (x) {\n    }\n",
}


def check(case: str, language: str) -> None:
    before, written = case.split("|")
    end = written.find("$")
    found = function_end(before, written.replace("$", ""), language_named(language))
    assert found == (None if end < 0 else end)


@pytest.mark.parametrize("case", PYTHON_CASES.values(), ids=PYTHON_CASES)
def test_python(case: str) -> None:
    check(case, "py")


@pytest.mark.parametrize("case", BRACE_CASES.values(), ids=BRACE_CASES)
def test_braces(case: str) -> None:
    check(case, "c")


def test_the_end_is_the_same_however_much_comes_after_it() -> None:
    for case in PYTHON_CASES.values():
        before, written = case.replace("$", "").split("|")
        found = {function_end(before, written[:size], PYTHON) for size in range(len(written) + 1)} - {None}
        assert len(found) <= 1


def test_without_a_rule_nothing_ends() -> None:
    assert function_end("def f\n", "1\nend\n\nputs 1\n", language_named("ruby")) is None
    assert function_end("def f():\n", "    1\nx\n", None) is None
