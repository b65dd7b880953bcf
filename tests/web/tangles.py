"""Texts of 200,000 characters, and some of 60,000, that are made to keep a Markdown parser busy."""

_WHOLE, _PART = 200_000, 59_000

_REPEATED = [
    *(">", "> ", "[", "*", "_", "(", "`", "|", "[](", "[a](", "![", "*a ", "a**b", "*a**a ", "- "),
    *("1. ", "<", "&", "http://", "www.", "a@", "\n", "a\n", "~", "~~a ", "[a]: x\n", "> - ", "\\"),
    *("# a\n", "```\n", " ", "a", "a.", "[a](<", '[x](a "', "mailto:", "[a](http://b)", '"', "//"),
    *("//a.com ", "a.com ", "_a", "a_", "**a *a ", "a\u200b", "\u200b", "p\u0430", "a.\u0430."),
    *("&#x202e;", "<!", "<![CDATA[", "<a@b.c>", "<http:a>", "*_", "a***", "\t", "-\t", "* a\n"),
    *("---\n", "- [x] a\n", "> a\n", "\u0301", "\u3000", "\U0001f469\u200d\U0001f4bb", "\u05d0 "),
]


def _row(cell: str, number: int) -> str:
    return f"|{cell}" * number + "|\n"


_SHAPED = {
    "table of many rows": "|a|b|\n|-|-|\n" + "|x|y|\n" * 9_000,
    "wide table": _row("a", 1_500) + _row("-", 1_500) + _row("x", 1_500) * 18,
    "cells that are made up": _row("a", 500) + _row("-", 500) + "x\n" * 2_000,
    "many tables": (_row("a", 300) + _row("-", 300) + "\n") * 45,
    "backticks of all lengths": " ".join("`" * number for number in range(1, 340)),
    "steps of a list": "".join("  " * number + "- a\n" for number in range(240)),
    "lazy lines below quotes": ">" * 19 + "a\n" + "b\n" * 3_900,
    "lazy lines below lists": "- " * 9 + "a\n" + "b\n" * 3_900,
    "quotes of changing depth": "".join(">" * (number % 20) + " a\n" for number in range(3_900)),
    "links inside of links": "[" * 700 + "a" + "](x)" * 700,
    "definitions": "".join(f"[{number}]: x{number}\n" for number in range(3_900)),
    "emphasis": "*a _b " * 1_500 + "_ *" * 10,
    "python": "```python\n" + '"\\' * 2_900 + "\n```",
    "javascript": "```js\n" + '\\"\n' * 1_900 + "\n```",
    "java": "```java\n" + "a " * 2_900 + "\n```",
    "many blocks of code": "```c\n{{!\n```\n" * 1_200,
}

TANGLES = {
    **{f"{sign!a} {_WHOLE}": sign * (_WHOLE // len(sign)) for sign in _REPEATED},
    **{f"{sign!a} {_PART}": sign * (_PART // len(sign)) for sign in _REPEATED},
    **_SHAPED,
}
