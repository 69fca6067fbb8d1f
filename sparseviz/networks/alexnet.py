"""AlexNet as Caffe has it (Krizhevsky et al. 2012): two groups in conv2, conv4 and conv5, for ImageNet."""

from collections import OrderedDict

from torch import nn

INPUT = (3, 227, 227)


def alexnet(before_fc7: float = 0, before_fc8: float = 0, *, classes: int = 1000) -> nn.Module:
    """AlexNet: 60,965,224 parameters for 1000 classes. Input (B, 3, 227, 227); dropout as published: 0.5, 0.5."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, 96, 11, stride=4),  # (B, 96, 55, 55)
            relu1=nn.ReLU(),
            norm1=_norm(),
            pool1=nn.MaxPool2d(3, stride=2),  # (B, 96, 27, 27)
            conv2=nn.Conv2d(96, 256, 5, padding=2, groups=2),
            relu2=nn.ReLU(),
            norm2=_norm(),
            pool2=nn.MaxPool2d(3, stride=2),  # (B, 256, 13, 13)
            conv3=nn.Conv2d(256, 384, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(384, 384, 3, padding=1, groups=2),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(384, 256, 3, padding=1, groups=2),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, stride=2),  # (B, 256, 6, 6)
            flatten=nn.Flatten(),  # (B, 9216)
            fc6=nn.Linear(9216, 4096),
            relu6=nn.ReLU(),
            drop7=nn.Dropout(before_fc7),
            fc7=nn.Linear(4096, 4096),
            relu7=nn.ReLU(),
            drop8=nn.Dropout(before_fc8),
            fc8=nn.Linear(4096, classes),
        )
    )


def _norm() -> nn.Module:
    return nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1)  # k as in Caffe; the publication has 2
