extension PixArtConfig {
    /// Prompts of many kinds of pictures, on which a model is calibrated unless others are given.
    static let examplePrompts = [
        "a red apple beside two green pears on a wooden table",
        "an old fisherman mending a net at sunrise, oil painting",
        "a snowy mountain village at night, warm light in the windows",
        "a white cat asleep on a pile of books",
        "portrait of a woman with freckles and a yellow raincoat, soft daylight",
        "a narrow street in the rain, neon signs reflected in puddles",
        "an astronaut planting tulips on the moon",
        "a bowl of noodle soup with a soft egg, seen from above",
        "a paper boat on a calm lake, watercolour",
        "three hot air balloons over a desert canyon",
        "a steam locomotive crossing a stone bridge in autumn",
        "close-up of a bee on a lavender flower",
        "a glass greenhouse full of ferns, morning mist",
        "a robot playing chess with a child in a park, pencil drawing",
        "a lighthouse on a cliff in a storm, huge waves",
        "a modern kitchen with blue tiles and brass lamps",
        "a fox in tall grass, shallow depth of field",
        "an isometric view of a tiny island with a windmill",
        "a black vintage car in front of a pink house",
        "a dragon made of clouds above rice terraces",
        "two musicians on a small stage, one with a cello, one with a trumpet",
        "a plate of pancakes with blueberries, studio photograph",
        "an empty subway station, symmetrical, cold light",
        "a poster of a whale swimming through a starry sky, flat colours",
    ]
}
