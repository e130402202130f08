"""What each step does, and what it leaves."""

import pytest

from longra.text.tidy import tidy
from longra.text.tidy.loops import repeated_tail


def check(step: str, before: str, after: str) -> None:
    result = tidy(before, step)
    assert result.text == after
    assert bool(result.changes) == (before != after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("sÃ© mÃ¡s", "sé más"),
        ("Itâ€™s", "It’s"),
        ("å¤©æ°”", "天气"),
        ("a\x00b\x07c\x1b[31md\x1b[0m", "abcd"),
        ("\ufeffa", "a"),
        ("cafe\u0301", "café"),
        ("ﬁsh", "fish"),
        ("“你好”，ＡＢ！", "“你好”，ＡＢ！"),  # quotes and full-width forms are typography
        ("é “你好”，ＡＢ！", "é “你好”，ＡＢ！"),
        ("a\tb &lt; ½ — …", "a\tb &lt; ½ — …"),
        ("👨\u200d👩\u200d👧 ❤️", "👨\u200d👩\u200d👧 ❤️"),
        ("`Ã©` Ã©", "`Ã©` é"),
    ],
)
def test_unicode(before: str, after: str) -> None:
    check("unicode", before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a  \nb \t\n", "a\nb\n"),
        ("a   b", "a b"),
        ("a\n\n \n\n\nb", "a\n\nb"),
        ("\n\n a\n\n\n", "a\n"),
        (" - a\n   - b", "- a\n   - b"),
        ("- a\n    - b  c", "- a\n    - b c"),
        ("| a   | b |\n|-----|---|", "| a   | b |\n|-----|---|"),
        ("　　他说  好。", "　　他说 好。"),
        ("a\r\nb\rc\u2028d\n", "a\nb\nc\nd\n"),
        ("a `b  c`  d", "a `b  c` d"),
        ("a", "a"),
        ("a\n\n```\n\n\n\n```\n\n\nb", "a\n\n```\n\n\n\n```\n\nb"),
    ],
)
def test_whitespace(before: str, after: str) -> None:
    check("whitespace", before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("你好world,这是test.", "你好 world，这是 test."),
        ("在Python3中使用`x=1`,可以吗?", "在 Python3 中使用 `x=1`，可以吗？"),
        ("价格是10元,打9折.", "价格是 10 元，打 9 折。"),
        ("访问https://a.com/中文?a=1吧,好.", "访问 https://a.com/中文?a=1 吧，好。"),
        ("[中文abc](a中b.png)好", "[中文 abc](a中b.png)好"),
        ("<b>粗a</b>和$a,b$等", "<b>粗 a</b>和 $a,b$ 等"),
        ("Hello,world . No Chinese,here", "Hello,world . No Chinese,here"),
        ("　　第一章　夜雨,好。", "　　第一章　夜雨，好。"),
        ('　　他说:"你好,世界!" 她笑了笑...', "　　他说：“你好，世界！”她笑了笑……"),
        ('"好,"他说,"走吧."', "“好，”他说，“走吧。”"),
        ('他说: "好."', "他说：“好。”"),
        ("“走吧.”「吃了吗?!」", "“走吧。”「吃了吗？！」"),
        ("他。。。走了--真的", "他……走了——真的"),
        ("一. 前言", "一、前言"),
        ("## 十二．方法", "## 十二、方法"),
        ("三.5 倍", "三.5 倍"),
        ("张三(李四)来了;你", "张三（李四）来了；你"),
        ('{"名称": "值"}', '{"名称": "值"}'),
        ('"名称": "值"', '"名称": "值"'),
        ('---\n标题: "长城"\n---\n他说: "好"', '---\n标题: "长城"\n---\n他说：“好”'),
        ('27"和32"', '27"和 32"'),
        ('什么是"道"和"?"', '什么是"道"和"?"'),
        ('日本語は"テスト"です。', '日本語は"テスト"です。'),
    ],
)
def test_cjk(before: str, after: str) -> None:
    check("cjk", before, after)


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        ("variant:simplified", "漢字與軟體", "汉字与软体"),
        ("variant:traditional", "汉字与后面", "漢字與後面"),
        ("variant:taiwan", "里面", "裡面"),
        ("variant:hongkong", "里面", "裏面"),
        ("variant", "這是漢字與語和汉。", "這是漢字與語和漢。"),
        ("variant", "这是汉字和漢语。", "这是汉字和汉语。"),
        ("variant", "漢字", "漢字"),
        ("variant:s", "漢字 `漢字` https://a.com/漢字", "汉字 `漢字` https://a.com/漢字"),
    ],
)
def test_variant(step: str, before: str, after: str) -> None:
    check(step, before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("I don't know. I don't know. I don't know. I don't kn", "I don't know."),
        ("It ended. We like it very much, very much, very much, very much, ve", "It ended. We like it very much,"),
        ("今天好。我不知道。我不知道。我不知道。我不", "今天好。我不知道。"),
        ("他说" + "哈" * 40, "他说哈"),
        ("so " + "the cat " * 3 + "the", "so the cat the cat the cat the"),  # 24 letters make a loop
        ("so " + "the cat " * 9 + "the", "so the cat"),
        ("Go on\nGo  on GO ON go on\n\ngo on go on", "Go on"),  # words, without regard to case and space
        ("好。\n\n" + "第一段说了很多话。\n\n" * 5, "好。\n\n第一段说了很多话。\n\n"),
        ("😀" * 50, "😀"),
        ("......" * 50, "."),
        ("哈哈哈哈哈哈", "哈哈哈哈哈哈"),
        ("No, no, no!", "No, no, no!"),
        ("very very very good", "very very very good"),
        ("-" * 80, "-" * 80),
        ("Fruits:\n" + "1. " * 60, "Fruits:\n1."),
        ("It is 0." + "3" * 60, "It is 0." + "3" * 60),
        ("1, 2, 3, 4, 5, 6, 7, 8, 9, 10", "1, 2, 3, 4, 5, 6, 7, 8, 9, 10"),
        ("Call `f()`" + " then `f(x)` is what you call" * 4, "Call `f()` then `f(x)` is what you call"),
        ("```\n" + "x = 1\n" * 50 + "```", "```\n" + "x = 1\n" * 50 + "```"),
    ],
)
def test_loops(before: str, after: str) -> None:
    assert tidy(before, "loops").text.rstrip() == after.rstrip()


def test_a_long_passage_is_a_loop_at_its_second_time() -> None:
    passage = " ".join(f"Sentence {i} is not like the others." for i in range(20))
    assert tidy(f"Start. {passage} {passage} Sentence 0 is", "loops").text == f"Start. {passage}"


def test_a_loop_longer_than_the_window() -> None:
    result = tidy("Begin: " + "one two three four five. " * 20_000, "loops")
    assert result.text == "Begin: one two three four five. "
    assert len(result.changes) == 1


def test_repeated_tail_agrees_with_trying_every_period() -> None:
    from random import Random

    random = Random(1)
    for _ in range(300):
        items = "".join(random.choices("ab", k=random.randrange(1, 12))) * random.randrange(1, 12)
        items = "".join(random.choices("abc", k=3)) + items + items[: random.randrange(len(items))]
        best = None
        for period in range(1, len(items) // 2 + 1):
            length = period
            while length < len(items) and items[-1 - length] == items[-1 - length + period]:
                length += 1
            loop = length // period >= 3 and length // period * period >= 24
            if loop and (best is None or length > best[0]):
                best = (length, period)
        found = repeated_tail(items, [1] * len(items))
        assert best == (None if found is None else (found.end - found.start, found.period))


LONG = "The quick brown fox jumps over the lazy dog while the old grey cat sleeps in the warm sun near the garden wall."


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("First paragraph.\n\nSecond paragraph.\n\nFirst paragraph.", "First paragraph.\n\nSecond paragraph."),
        ("第一段的话。\n\n第二段的话。\n\n第一段的话。\n", "第一段的话。\n\n第二段的话。\n"),
        ("One, two, three.\n\nB.\n\none TWO  three!\n\nC.", "One, two, three.\n\nB.\n\nC."),
        (f"{LONG}\n\nBetween.\n\n{LONG.replace('lazy', 'tired')}", f"{LONG}\n\nBetween."),
        (f"{LONG}\n\n{LONG} It is 3.\n\n{LONG} It is 4.", f"{LONG}\n\n{LONG} It is 3.\n\n{LONG} It is 4."),
        (f"{LONG}\n短。\n{LONG}\n", f"{LONG}\n短。\n"),
        ("## Example\n\na b\n\n## Example\n\nc d", "## Example\n\na b\n\n## Example\n\nc d"),
        ("Yes.\n\nNo.\n\nYes.", "Yes.\n\nNo.\n\nYes."),
        ("“不知道。”他说。\n\n好。\n\n“不知道。”他说。", "“不知道。”他说。\n\n好。\n\n“不知道。”他说。"),
        ("1. Stir well.\n\n2. Stir well.", "1. Stir well.\n\n2. Stir well."),
        ("---\n\na\n\n---", "---\n\na\n\n---"),
        ("```\nfirst paragraph\n```\n\nfirst paragraph\n\n```\nfirst paragraph\n```", None),
    ],
)
def test_paragraphs(before: str, after: str | None) -> None:
    check("paragraphs", before, before if after is None else after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("It is done. And then we", "It is done."),
        ("It is done.\n\nAnd then we\n", "It is done.\n"),
        ("今天很好。明天", "今天很好。"),
        ("他说：“今天很好。”然后我们", "他说：“今天很好。”"),
        ("(It is done!) And", "(It is done!)"),
        ("**It is done.** And", "**It is done.**"),
        ("真的吗？！那么", "真的吗？！"),
        ("然后……后来", "然后……"),
        ("It is so.[1] But", "It is so.[1]"),
        ("Great! 😀 But", "Great! 😀"),
        ("He met Mr. Smith. Then Dr.", "He met Mr. Smith."),
        ("He paid 3.14 dollars. Of 2.", "He paid 3.14 dollars. Of 2."),
        ("It is 5 p.m. now. See No. 5 and", "It is 5 p.m. now."),
        ("Use node.js now. Or deno.js th", "Use node.js now."),
        ("See https://a.com/b. Or https://b.com/c.d", "See https://a.com/b."),
        ('"Stop!" he said. "Go!" she', '"Stop!" he said.'),
        ("It is done. Then `x.` is", "It is done."),
        ("1. Take it.\n2. Put it", "1. Take it."),
        ("1. Take it.\n2. Put it. And", "1. Take it.\n2. Put it."),
        ("- Take it.\n\n- Put", "- Take it."),
        ("Done.\n\n## Next\n\nAnd", "Done.\n\n## Next"),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n| 3 |", "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 |"),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4", "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("```\ncode\n```\nThis is", "```\ncode\n```"),
        ("यह है। वह", "यह है।"),
        ("他走了。\n\n“你来", "他走了。"),
        (f"It is done.\n\n{'And so on ' * 6}\nand so", "It is done."),
    ],
)
def test_sentence(before: str, after: str) -> None:
    check("sentence", before, after)


@pytest.mark.parametrize(
    "text",
    [
        "It is done.",
        "没有句号",
        "no end at all",
        "# Title",
        "Done.\n\n# Title",
        "- apples\n- pears",
        "Things:\n\n- apples\n- pears",
        "Done.\n\n- Put",
        "# Title\n\nAnd then",
        "正文结束了。\n\n（未完待续）",
        "正文结束了。\n\n——完——",
        "它结束了。\n\n全文完",
        "It ends here.\n\nTHE END",
        "It ends here.\n\n*To be continued*",
        "Thank you.\n\nSincerely,\nJohn Smith",
        "谢谢您。\n\n李明\n2023年5月1日",
        "举头望明月，\n低头思故乡。\n\n你\n　是\n　　我的光",
        "Roses are red\nViolets are blue\n\nSugar is sweet\nAnd so",
        "Done. See\n\n```\nx\n```",
        "Done. See\n\n```\nx",
        "“好！”",
        "It is done etc.",
        "Good night 😀",
        "Done. " + "word " * 1000,
    ],
)
def test_sentence_leaves(text: str) -> None:
    check("sentence", text, text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("She go to school.", "She goes to school."),
        ("I has a apple.", "I have an apple."),
        ("The the cat sat on the mat.", "The cat sat on the mat."),
        ("We could of gone there.", "We could have gone there."),
        ("They didnt come to us.", "They didn't come to us."),
        ("He is taller then me.", "He is taller than me."),
        ("I think i am here.", "I think I am here."),
        ("The i-th row and *i* are there.", "The i-th row and *i* are there."),
        ("Use `an test` and the the cat.", "Use `an test` and the cat."),
        ("他有 a apple. The the.", "他有 a apple. The the."),
        ("He dont.", "He doesn't."),
        ("Das ist ein Haus und und die Katze schläft.", "Das ist ein Haus und und die Katze schläft."),
        ("The color of numpy is non-empty args.", "The color of numpy is non-empty args."),
    ],
)
def test_grammar(before: str, after: str) -> None:
    check("grammar", before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("##标题##\n正文", "##标题##\n正文".replace("##标题##", "## 标题##\n")),
        ("#   Title   ##  \nText", "# Title\n\nText"),
        ("#tag and #2", "#tag and #2"),
        ("Text\n# T", "Text\n\n# T"),
        ("* a\n* b", "- a\n- b"),
        ("• 一\n• 二", "- 一\n- 二"),
        ("Text:\n- a\n- b\nlazy\n- c", "Text:\n\n- a\n- b\nlazy\n- c"),
        ("-   a\n-   b", "- a\n-   b"),
        ("3\n+ 5", "3\n+ 5"),
        ("**bold** a\n*it* b", "**bold** a\n*it* b"),
        ("a\n\n* * *\n\nb", "a\n\n---\n\nb"),
        ("Title\n---\ntext", "Title\n---\ntext"),
        ("---\ntitle: x\n---\n\na", "---\ntitle: x\n---\n\na"),
        ("a\n```python  \nx\n```  \nb", "a\n\n```python\nx\n```\n\nb"),
        ("``` python\nx", "```python\nx\n```"),
        ("~~~~\nx\n```\n", "~~~~\nx\n```\n~~~~\n"),
        ("- a\n  ```\n  x", "- a\n  ```\n  x\n  ```"),
        ("a  \nb \nc   ", "a  \nb\nc"),
        ("a\n\n\n\nb\n\n\n", "a\n\nb\n"),
        ("他说**“好。”**然后 \\(a_b\\) 和 $c_d$", "他说**“好。”**然后 \\(a_b\\) 和 $c_d$"),
        ("| a | b |\n|:--|--:|\n| * | 2 |", "| a | b |\n|:--|--:|\n| * | 2 |"),
    ],
)
def test_markdown(before: str, after: str) -> None:
    check("markdown", before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Sure:\n```python\nx  =1\n```\nDone.", "x = 1\n"),
        ("```bash\nls\n```\n\n```py\nx=1\n```\n\n```python\ny=2\n```", "x = 1\n\ny = 2\n"),
        ("```c\nint x ;\n```\n```\nout\n```", "int x ;\n"),
        ("- a\n  ```js\n  f( )\n    g( )\n  ```", "f( )\n  g( )\n"),
        ("> ```\n> a\n> ```", "a\n"),
        ("Unclosed:\n```python\ndef f():\n  return 1", "def f():\n    return 1\n"),
        ("def f( ):\n  return 1", "def f():\n    return 1\n"),
        ('def f():\n    """Like this:\n\n    ```\n    a\n    ```\n    """\n', None),
        ('"""\n```\na\n```\n"""\n\nimport os\n', None),  # the fence is in a string of the program
        ("Sorry, I cannot.", None),
        ("f( )", None),  # may be any language
        ("Text with an empty block.\n```\n```\n", None),
    ],
)
def test_code(before: str, after: str | None) -> None:
    check("code", before, before if after is None else after)


def test_code_that_is_not_python_is_kept_and_noted() -> None:
    result = tidy("```python\nx=1\ndef f(:\n```", "code")
    assert result.text == "x=1\ndef f(:\n"
    assert [(note.step, note.line) for note in result.notes] == [("code", 2)]
    assert "not valid Python" in result.notes[0].message


@pytest.mark.parametrize("code", ["(" * 3000 + ")" * 3000, "def f():\n  x = '\x00'", "-" * 100_000 + "1"])
def test_hostile_code_does_not_hurt(code: str) -> None:
    assert tidy(f"```python\n{code}\n```", "code").text.strip() == code.strip()
