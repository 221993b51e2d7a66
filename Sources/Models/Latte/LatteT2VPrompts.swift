extension LatteT2VConfig {
    /// Prompts of many kinds of motion, on which a model is calibrated unless others are given.
    static let examplePrompts = [
        "waves roll onto a pebble beach at dusk",
        "a brown horse gallops through shallow water",
        "time lapse of clouds drifting over snowy peaks",
        "a candle flame flickers in a dark room",
        "a woman in a red coat walks through falling snow",
        "steam rises from a cup of coffee by a window",
        "a hummingbird hovers in front of a purple flower",
        "cars pass a crossing at night, seen from above",
        "a child blows soap bubbles in a garden",
        "slow pan over a field of sunflowers",
        "a paper plane glides across a classroom",
        "rain runs down a train window",
        "a potter shapes a bowl on a turning wheel",
        "an old windmill turns in the evening light",
        "a jellyfish pulses in deep blue water",
        "fireworks burst over a harbour",
        "a robot waters tomatoes in a greenhouse",
        "a black cat jumps from a wall and looks up",
        "autumn leaves whirl along an empty street",
        "a drone flies over a waterfall in a forest",
        "two people dance on a wooden stage",
        "ink spreads in a glass of water",
        "a skateboarder rides down a winding road",
        "an astronaut floats past the window of a space station",
    ]
}
