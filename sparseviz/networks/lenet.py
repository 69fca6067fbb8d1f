"""LeCun's networks for digits of 28 x 28 pixels."""

from collections import OrderedDict

from torch import nn

INPUT = (1, 28, 28)


def lenet300(before_fc2: float = 0, before_fc3: float = 0, *, classes: int = 10) -> nn.Module:
    """LeNet-300-100: 266,610 parameters, 266,200 of them weights. Input (B, 1, 28, 28); places of dropout."""
    return nn.Sequential(
        OrderedDict(
            flatten=nn.Flatten(),
            fc1=nn.Linear(784, 300),
            relu1=nn.ReLU(),
            drop2=nn.Dropout(before_fc2),
            fc2=nn.Linear(300, 100),
            relu2=nn.ReLU(),
            drop3=nn.Dropout(before_fc3),
            fc3=nn.Linear(100, classes),
        )
    )


def lenet5(before_fc1: float = 0, before_fc2: float = 0, *, classes: int = 10) -> nn.Module:
    """LeNet-5 as Caffe has it: 431,080 parameters, 430,500 of them weights. Input (B, 1, 28, 28); with dropout."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 20, 5),  # (B, 20, 24, 24)
            pool1=nn.MaxPool2d(2),  # (B, 20, 12, 12)
            conv2=nn.Conv2d(20, 50, 5),  # (B, 50, 8, 8)
            pool2=nn.MaxPool2d(2),  # (B, 50, 4, 4)
            flatten=nn.Flatten(),  # (B, 800)
            drop1=nn.Dropout(before_fc1),
            fc1=nn.Linear(800, 500),
            relu=nn.ReLU(),
            drop2=nn.Dropout(before_fc2),
            fc2=nn.Linear(500, classes),
        )
    )
