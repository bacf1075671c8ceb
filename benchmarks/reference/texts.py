"""Forty texts that embeddings servers get wrong, one after the other."""

# Look-alike letters are the point here.
# ruff: noqa: RUF001

_SENTENCE = "The harbour master logs every ship that enters before dawn, and its cargo. "
_FABLE = (
    "a crow half dead with thirst came upon a pitcher which had once been full of water but when it put "
    "its beak into the mouth of the pitcher it found that only very little was left in it"
)

TEXTS: tuple[str, ...] = (
    # Nothing, or nearly so
    "",
    " ",
    "\n\t \r\n",
    "z",
    "?",
    "The night train to Lisbon leaves at nine.",
    "How do I change the PIN of my card?",
    "i want 2 refund my order pls!!!",
    "   two   leading,\ttabbed,\nand trailing   ",
    # Letters beyond ASCII
    "Où est passée la forêt d'Ardèche ? « Là-bas », dit-il… naïvement.",
    "Größe, Straße, Übung; STRASSE and straße fold differently",
    "Zażółć gęślą jaźń — příliš žluťoučký kůň",
    "İstanbul ve ISPARTA, dotted i and dotless ı",
    "ΟΔΥΣΣΕΥΣ ὁ πολύτροπος, final sigma ς and micro µ",
    "Съешь же ещё этих мягких французских булок",
    # Composed, decomposed and out-of-order combining marks
    "caf\u00e9 and cafe\u0301 are the same word",
    "a\u0323\u0307 and a\u0307\u0323 differ only in the order of their dots",
    "long s with dots \u1e9b\u0323, Vietnamese tiê\u0301ng Viê\u0323t",
    "z\u0351\u036b\u0343a\u0329\u0321l\u0348\u034eg\u0321o\u035c stacks marks",
    # Scripts without spaces, from right to left, and with conjuncts
    "今天天气很好，我们去公园散步吧。",
    "カタカナ ひらがな 漢字 ｶﾞｷﾞｸﾞ ①㍿",
    "안녕하세요 세계, \u1112\u1161\u11ab\u1100\u1173\u11af",
    "القطار يصل إلى المحطة في الساعة الخامسة",
    "שלום עולם — with English in between",
    "क्षत्रिय ज्ञान हिन्दी में लिखा है",
    "ภาษาไทยไม่มีช่องว่างระหว่างคำ",
    # Emoji, symbols, look-alikes
    "great service 👍🏽👍🏿 🙏 10/10",
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇵🇹 1️⃣ ☎️",
    "∮E·da = Q, n→∞, ∑aᵢ², ⅓ + ⅔ = 1, ﬁne ﬂow, Ⅻ",
    "Ｆｕｌｌ ｗｉｄｔｈ, 𝓬𝓾𝓻𝓼𝓲𝓿𝓮, \U0001d54c\U0001d55f\U0001d55a, \U00020bb7野家",
    # Machine text
    'SELECT name, COUNT(*) FROM t WHERE x >= 3.5e-7 AND y != "it\'s";',
    "def area(r: float) -> float:\n    return 3.14159 * r ** 2  # naïve\n",
    "https://example.org/a%20b?q=1&lang=pt-BR#top user.name+tag@example.org /usr/local/lib",
    "-1,234.56 €; 2024-02-29T23:59:60Z; +44 20 7946 0000; 0xDEADBEEF",
    "nul \x00 bell \x07 escape \x1b[31m delete \x7f nel \x85 end",
    "zero\u200bwidth \u200ejoin\u2060ers \ufeffbom soft\u00adhyphen no\u00a0break \u3000wide \ufffd",
    "[CLS] a literal [SEP] special [MASK] token [PAD] [UNK] </s> <|endoftext|>",
    # Long
    "pneumono" * 40,
    " ".join((_FABLE.split() * 28)[:1000]),
    _SENTENCE * 90,
)

assert len(TEXTS) == len(set(TEXTS)) == 40
