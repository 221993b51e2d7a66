"""Stand-ins for classes of plain data that trainers save beside the weights, so that their content can be read.

Each is allowed by name in place of the class itself: nothing of the library that defines it is imported or run.
Whatever else a checkpoint holds is refused by torch's weights-only loading.
"""

import argparse


class Record:
    """An object whose state is kept as it is: a Namespace, a setting, a node of a configuration."""

    def __new__(cls, *arguments, **options):
        record = super().__new__(cls)
        record.arguments = arguments
        return record

    def __init__(self, *arguments, **options):
        pass

    def __setstate__(self, state):
        if isinstance(state, dict):
            self.__dict__.update(state)


class Dictionary:
    """A dict of another class: read as a dict, which its items are then put into."""

    def __new__(cls, *arguments):
        return dict(arguments[0]) if arguments and isinstance(arguments[0], dict) else {}


class Word:
    """A type that is mentioned, or something that is made of texts, such as a path: read as a text."""

    def __new__(cls, *arguments):
        return "/".join(str(part) for part in arguments)


RECORDS = ["types.SimpleNamespace", "omegaconf.dictconfig.DictConfig", "omegaconf.listconfig.ListConfig",
           "omegaconf.base.ContainerMetadata", "omegaconf.base.Metadata", "omegaconf.nodes.AnyNode",
           "omegaconf.nodes.StringNode", "omegaconf.nodes.IntegerNode", "omegaconf.nodes.FloatNode",
           "omegaconf.nodes.BooleanNode"]
DICTIONARIES = ["collections.defaultdict", "easydict.EasyDict", "addict.addict.Dict",
                "pytorch_lightning.utilities.parsing.AttributeDict", "lightning_fabric.utilities.data.AttributeDict",
                "lightning.fabric.utilities.data.AttributeDict", "lightning.pytorch.utilities.parsing.AttributeDict"]
WORDS = ["pathlib.PosixPath", "pathlib.PurePosixPath", "pathlib.WindowsPath", "pathlib.Path", "typing.Any",
         "builtins.int", "builtins.float", "builtins.str", "builtins.bool", "builtins.list", "builtins.dict",
         "builtins.type", "__builtin__.int", "__builtin__.float", "__builtin__.str", "__builtin__.bool",
         "__builtin__.list", "__builtin__.dict"]


def allowed():
    """What torch.serialization.safe_globals is to be given."""
    stand_ins = [(kind, name) for kind, names in ((Record, RECORDS), (Dictionary, DICTIONARIES), (Word, WORDS))
                 for name in names]
    return [argparse.Namespace, *stand_ins]
