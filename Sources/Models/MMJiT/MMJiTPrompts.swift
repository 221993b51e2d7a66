extension MMJiTConfig {
    /// What a model is calibrated on unless other prompts are given: objects, counts, colours, places and scenes.
    static let examplePrompts = [
        "a photo of a red apple on a wooden table",
        "three small boats on a calm lake at dawn",
        "a yellow bird on a green branch",
        "a portrait of an old fisherman with a grey beard",
        "a blue car parked in front of a white house",
        "two cats sleeping on a striped blanket",
        "a bowl of noodle soup with an egg",
        "a lighthouse on a cliff in a storm",
        "a robot that waters sunflowers",
        "a city street at night in the rain",
        "a stack of old books beside a candle",
        "a snowy mountain above a dark forest",
        "a glass of orange juice and a croissant",
        "an astronaut riding a horse in the desert",
        "a watercolour of a small village by the sea",
        "a bicycle that leans on a brick wall",
        "a child with a red balloon in a park",
        "a purple vase with white flowers",
        "a fox in the autumn leaves",
        "a sign with the word open above a door",
        "four green bottles on a shelf",
        "a clock to the left of a lamp",
        "a castle on a floating island",
        "a close view of a bee on a flower",
    ]
}
