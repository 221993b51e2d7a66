"""Texts in many scripts: what the golden tokenizers are trained on, and lines to try them with."""

import random

# Article 1 of the Universal Declaration of Human Rights, or its beginning, in many languages and scripts.
SENTENCES = [
    "All human beings are born free and equal in dignity and rights.",
    "They are endowed with reason and conscience and should act towards one another in a spirit of brotherhood.",
    "Tous les êtres humains naissent libres et égaux en dignité et en droits.",
    "Alle Menschen sind frei und gleich an Würde und Rechten geboren.",
    "Todos los seres humanos nacen libres e iguales en dignidad y derechos.",
    "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw.",
    "Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti a práv.",
    "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar.",
    "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền.",
    "Hver maður er borinn frjáls og jafn öðrum að virðingu og réttindum.",
    "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.",
    "Все люди рождаются свободными и равными в своем достоинстве и правах.",
    "Всі люди народжуються вільними і рівними у своїй гідності та правах.",
    "يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق.",
    "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם.",
    "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।",
    "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ",
    "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "人人生而自由,在尊严和权利上一律平等。",
    "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
    "எல்லா மனிதர்களும் சுதந்திரமாகவே பிறக்கின்றனர்.",
    "ყველა ადამიანი იბადება თავისუფალი და თანასწორი.",
    "Բոլոր մարդիկ ծնվում են ազատ ու հավասար իրենց արժանապատվությամբ։",
    "ሰው ሁሉ ነፃ ሆኖ የተወለደ ነው።",
    "a red apple left of two small stars on a blue background",
    "a picture of three big green frogs above a cat, against a grey background.",
    "A photograph of an astronaut riding a horse, 4k, highly detailed; trending (2026)",
    "🙂 🚀 🌍 ❤️ 👍🏽 👩‍🚀 🏳️‍🌈 🇩🇪",
]

# Lines that show what a normaliser, a dummy prefix and unknown characters do.
LINES = [
    "", " ", "   ", "\t", "\n", " \t \n ", "a", " a", "a ", "  a  b  ", "a\tb", "a\nb", "a\r\nb", "a\u00a0b", "a\u3000b",
    "a\u2003b\u2009c", "a\u200bb", "\ufeffa", "a\u200db", "a\u00adb", "a\u2060b", "\u0000", "a\u0000b", "a\u0001b\u001f",
    "\u007f", "\u0085a", "\u2028a\u2029b", "▁", "▁a", "a▁b", "▁▁", " ▁ a", "\ufffd", "a\ufffdb",
    "ABC abc Abc", "Straße STRASSE ẞ", "İstanbul ıI", "ΣΊΣΥΦΟΣ σίσυφος ς", "ĲsĳǅǄ", "cafe\u0301 café", "n\u0303 ñ Ñ",
    "a\u0308\u0301\u0323", "\u0301", "\u0301a", "e\u0302\u0301 ế", "\u1e69 s\u0323\u0307 s\u0307\u0323", "Å Å Å",
    "ﬁ ﬂ ﬀ ﬃ ﬅ", "ＡＢＣ　ａｂｃ　１２３", "ｶﾞｷﾞ ｱｲｳ", "㌔ ㍿ ㎏ ㎡ № ℡ ™", "① ② Ⅳ ⅷ ½ ¾ ² ₂", "…‥", "“quotes” ‘single’ «a» 「b」",
    "–—‐‑−", "ﷺ", "لَا إِلَٰهَ", "ﻻ ﻼ", "שָׁלוֹם", "क़ख़ क\u093c", "क्षत्रिय ज्ञान", "น้ำ กำ", "각 각 한글 ㅎㅏㄴ", "が か\u3099", "﨑 侮 豈",
    "漢字かなカナ混じり文", "中文English混合123", "🙂", "🙂🙂🙂", "👍🏽👍🏿", "👩‍👩‍👧‍👦", "🏳️‍🌈🏴‍☠️", "🇩🇪🇫🇷", "1️⃣ #️⃣", "❤ ❤️ ❤︎", "☃ ☃☃ a☃b",
    "𝒜𝓑𝔠 𝟘𝟙", "𐍈 𓀀 🄰", "\U0010ffff", "\ue000\uf8ff", "x\u20e3", "<unk>", "<pad> </s> <s>", "a </s> b", "<0x41>", "<mask>",
    "https://example.org/a?b=c&d=%20", "user@example.org", "3.14159 1,000,000 -5e-3", "C++ C# F♯ A♭", "$5 €5 £5 ¥5", "1/2 1⁄2",
    "!!!???...", "(a) [b] {c}", "a,b;c:d", "it's it’s don't", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "-", "--", "_a_",
    "supercalifragilisticexpialidocious", "   leading and trailing   ", "a  b   c    d", "word\u00a0\u00a0word", "\u00a0a\u00a0",
    "\u3000全角　空白\u3000", "a \u0301b", "\u0e33\u0e33", "ǆ ǅ Ǆ", "ſ ẛ ẛ\u0323", "ⅷ Ⅷ ⑧ ８", "Ω Ω", "µ μ", "İ i\u0307",
    "ﬀﬀﬀ", "à la carte à la carte", "<extra_id_0>", "a <extra_id_1> b<extra_id_0>c", "  <extra_id_0>  ", "</s></s>", "x</s>",
]

# Blocks from which single characters are drawn.
BLOCKS = [
    (0x20, 0x7F), (0x20, 0x7F), (0, 0x20), (0x80, 0x250), (0x250, 0x370), (0x300, 0x370), (0x370, 0x530), (0x590, 0x780),
    (0x900, 0xE80), (0x1100, 0x1200), (0x1E00, 0x2000), (0x2000, 0x2070), (0x2070, 0x2800), (0x3000, 0x3400), (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A4), (0xF900, 0xFB50), (0xFB50, 0xFFFE), (0x1D400, 0x1D800), (0x1F000, 0x1FB00), (0x2F800, 0x2FA20),
    (0xE0000, 0xE0200),
]
SPACES = [" "] * 12 + ["  ", "\t", "\n", "\u00a0", "\u3000", "", "", "\u200b", "\u200d"]


def training_lines(count=4000, seed=1):
    """Sentences, and shuffled mixtures of their words."""
    random_ = random.Random(seed)
    words = [sentence.split() for sentence in SENTENCES]
    lines = SENTENCES * 8
    while len(lines) < count:
        mixture = [random_.choice(random_.choice(words)) for _ in range(random_.randint(3, 12))]
        lines.append(" ".join(mixture))
    return lines


def random_lines(count, seed):
    """Mixtures of words in many scripts, parts of lines that are hard, and single characters."""
    random_ = random.Random(seed)
    words = [word for sentence in SENTENCES for word in sentence.split()]
    lines = []
    for _ in range(count):
        line = ""
        for _ in range(random_.randint(1, 14)):
            kind = random_.random()
            if kind < 0.5:
                word = random_.choice(words)
            elif kind < 0.65:
                line_ = random_.choice(LINES)
                start = random_.randint(0, len(line_))
                word = line_[start:random_.randint(start, len(line_))]
            elif kind < 0.8:
                word = random_.choice(words)
                cut = random_.randint(0, len(word))
                word = random_.choice([word[:cut] + random_character(random_) + word[cut:], word.upper(), word[::-1]])
            else:
                word = "".join(random_character(random_) for _ in range(random_.randint(1, 6)))
            line += word + random_.choice(SPACES)
        lines.append(line)
    return lines


def random_character(random_):
    """A character of any block, but no half of a surrogate pair."""
    start, end = random_.choice(BLOCKS)
    return chr(random_.randrange(start, end))
