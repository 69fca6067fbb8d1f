"""Folders of images: layouts, broken files, the index, decoding, and the stream that training reads."""

import json
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sparseviz.config import ConfigError, paths
from sparseviz.config.parts import DataConfig
from sparseviz.data import Data, DataError, Shard, image_index, load_data
from sparseviz.data.decoding import UNIFORMS, Recipe, random_box
from sparseviz.data.draws import Draws
from sparseviz.data.image_stream import StreamedSplit
from sparseviz.training.batches import Batches
from tests.helpers.data.folders import class_folders, picture, train_and_val

SIDE = 16


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setattr(paths, "data_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def load(folder: Path, progress=None, **settings) -> Data:
    return load_data(
        DataConfig.model_validate({"name": "folder", "folder": str(folder), "size": SIDE} | settings), progress
    )


def names(data: Data, part: str) -> list[str]:
    split = getattr(data, part)
    assert isinstance(split, StreamedSplit)
    return [split.stream._files._names[number] for number in split.numbers.tolist()]


def lengths(data: Data) -> list[int]:
    return [len(split) for split in (data.train, data.validation, data.test)]


class TestLayouts:
    @pytest.mark.parametrize("val", ["val", "valid", "validation", "test"])
    def test_that_a_twelfth_of_train_validates_and_val_or_test_is_the_test_split(self, tmp_path, val):
        data = load(train_and_val(tmp_path / "set", 24, 6, val=val))
        assert (data.name, data.classes, data.note) == ("folder", ("blue", "green", "red"), "")
        assert lengths(data) == [66, 6, 18]
        assert all(name.startswith("train/") for name in names(data, "train") + names(data, "validation"))
        assert all(name.startswith(f"{val}/") for name in names(data, "test"))
        assert len(set(names(data, "train")) | set(names(data, "validation"))) == 72
        assert torch.bincount(data.validation.labels).tolist() == [2, 2, 2]

    def test_that_with_val_and_test_all_of_train_trains(self, tmp_path):
        folder = train_and_val(tmp_path / "set", 8, 3)
        data = load(class_folders(folder / "test", 2, seed=9).parent)
        assert lengths(data) == [24, 9, 6]
        assert all(name.startswith("val/") for name in names(data, "validation"))

    def test_that_one_folder_of_classes_is_split_by_class_as_the_digits_are(self, tmp_path):
        data = load(class_folders(tmp_path / "set", 30))
        assert lengths(data) == [60, 12, 18]
        for split in (data.train, data.validation, data.test):
            assert torch.bincount(split.labels).tolist() == [len(split) // 3] * 3
        assert len({*names(data, "train"), *names(data, "validation"), *names(data, "test")}) == 90

    def test_that_the_split_asks_for_names_and_not_for_pixels(self, tmp_path):
        one, other = (load(class_folders(tmp_path / str(seed), 10, seed=seed)) for seed in (1, 2))
        for part in ("train", "validation", "test"):
            assert names(one, part) == names(other, part)
        assert one.checksum != other.checksum

    def test_that_labels_are_those_of_the_folders_in_alphabetical_order(self, tmp_path):
        data = load(train_and_val(tmp_path / "set"))
        for part in ("train", "validation", "test"):
            told = [data.classes[label] for label in getattr(data, part).labels]
            assert told == [name.split("/")[1] for name in names(data, part)]

    def test_that_files_of_other_kinds_and_hidden_ones_are_passed_over(self, tmp_path):
        folder = class_folders(tmp_path / "set", 10)
        (folder / "red" / "notes.txt").write_text("none")
        (folder / "red" / ".hidden.png").write_text("none")
        (folder / ".git").mkdir()
        data = load(folder)
        assert (sum(lengths(data)), data.note) == (30, "")

    def test_that_images_deeper_in_a_class_s_folder_are_its_own(self, tmp_path):
        folder = class_folders(tmp_path / "set", 10)
        class_folders(folder / "red", 3, classes=("images",))
        assert sum(lengths(load(folder))) == 33

    @pytest.mark.parametrize(
        ("make", "words"),
        [
            (lambda _: None, "is no folder that can be read"),
            (lambda root: root.mkdir(), "has no images; give every class a folder"),
            (lambda root: class_folders(root, 4, classes=("all",)), "1 folders of classes, and needs two"),
            (lambda root: class_folders(root / "train", 12), "no folder val or test"),
            (lambda root: class_folders(root, 2), "has 6 images that can be read, too few to split"),
            (lambda root: train_and_val(root, 3), "has 9 images that can be read, too few to split"),
            (lambda root: (class_folders(root, 9) / "zebra").mkdir(), "zebra has no image that can be read"),
            (
                lambda root: class_folders(train_and_val(root) / "val", 1, classes=("pink",)),
                "pink is a class that train does not have",
            ),
        ],
    )
    def test_that_another_layout_is_refused_with_what_to_do(self, tmp_path, make, words):
        make(tmp_path / "set")
        with pytest.raises(DataError, match=words) as caught:
            load(tmp_path / "set")
        assert str(tmp_path / "set") in str(caught.value)

    def test_that_without_a_folder_it_is_asked_for(self):
        with pytest.raises(DataError, match="--data-dir"):
            load_data(DataConfig(name="folder"))

    def test_that_mean_and_deviation_need_a_number_a_channel(self, tmp_path):
        with pytest.raises(ConfigError, match=r"data\.mean: 1 numbers for 3 channels"):
            load(class_folders(tmp_path / "set", 10), mean=(0.5,))


BROKEN = {
    "empty.jpg": b"",
    "text.png": b"not an image",
    "head.png": b"\x89PNG\r\n\x1a\n",
    "zeros.jpg": bytes(400),
    "bomb.bmp": b"BM" + bytes(12) + b"\x28\0\0\0\xff\xff\xff\x7f\xff\xff\xff\x7f\x01\0\x18\0" + bytes(40),
}


class TestBrokenFiles:
    @pytest.fixture
    def folder(self, tmp_path) -> Path:
        folder = class_folders(tmp_path / "set", 10, suffix=".jpg")
        for name, content in BROKEN.items():
            (folder / "green" / name).write_bytes(content)
        for name in ("jpg", "png"):
            path = folder / "blue" / f"cut.{name}"
            picture((9, 99, 9), 5).save(path)
            path.write_bytes(path.read_bytes()[:-200])
        return folder

    def test_that_they_are_left_out_counted_and_the_first_are_named(self, folder):
        data = load(folder)
        assert sum(lengths(data)) == 30
        assert data.note.startswith("7 of 37 images cannot be read and are left out: blue/cut.jpg (")
        assert data.note.endswith(" and 2 more")
        assert "green/empty.jpg (" in data.note

    @pytest.mark.skipif(os.name == "nt", reason="Windows makes no links without a right to")
    def test_that_a_link_to_nowhere_is_one_and_a_linked_class_is_read(self, tmp_path):
        folder = class_folders(tmp_path / "set", 10)
        (folder / "red" / "lost.png").symlink_to(tmp_path / "nowhere.png")
        class_folders(tmp_path / "elsewhere", 6, classes=("pink",))
        (folder / "pink").symlink_to(tmp_path / "elsewhere" / "pink")
        data = load(folder)
        assert sum(lengths(data)) == 36
        assert data.note == "1 of 37 images cannot be read and are left out: red/lost.png (No such file or directory)"

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
    def test_that_on_a_gpu_batches_are_what_they_are_on_the_cpu(self, folder):
        data = load(folder, augment=True)
        there, here = Batches(data.train.to("cuda"), 7, 1), Batches(load(folder, augment=True).train, 7, 1)
        for step in range(5):
            (images, labels), (expected, their_labels) = there.at(step), here.at(step)
            assert images.is_cuda
            torch.testing.assert_close(images.cpu(), expected)
            assert torch.equal(labels.cpu(), their_labels)
        data.close()

    def test_that_what_is_left_can_all_be_read(self, folder):
        data = load(folder, augment=True)
        batches = Batches(data.train, 7, 1)
        for step in range(2 * batches.per_epoch):
            assert batches.at(step)[0].isfinite().all()

    @pytest.mark.parametrize("workers", [0, 2])
    def test_that_one_that_breaks_while_it_trains_ends_it_with_its_name(self, tmp_path, workers):
        data = load(class_folders(tmp_path / "set", 10), workers=workers)
        broken = tmp_path / "set" / names(data, "train")[3]
        broken.write_bytes(b"gone")
        with pytest.raises(DataError, match=f"{broken.name} could be read when .* and cannot be now") as caught:
            list(data.train.in_order())
        assert "Traceback" not in str(caught.value)
        data.close()
        assert multiprocessing.active_children() == []


class TestIndex:
    def test_that_it_is_kept_and_nothing_is_looked_at_twice(self, tmp_path, monkeypatch, cache):
        folder = class_folders(tmp_path / "set", 10)
        first = load(folder)
        (kept,) = (cache / "folders").iterdir()
        assert len(json.loads(kept.read_text())["files"]) == 30
        monkeypatch.setattr(image_index, "_look", None)
        second = load(folder)
        assert (second.checksum, lengths(second)) == (first.checksum, lengths(first))

    def test_that_new_changed_and_lost_files_are_noticed(self, tmp_path, monkeypatch):
        folder = class_folders(tmp_path / "set", 10)
        before, look, looked = load(folder), image_index._look, []

        def note(path, stamp):
            looked.append(path.name)
            return look(path, stamp)

        monkeypatch.setattr(image_index, "_look", note)
        picture((1, 2, 3), 77).save(folder / "red" / "new.png")
        (folder / "red" / "red-001.png").write_bytes(b"broken now")
        (folder / "red" / "red-002.png").unlink()
        after = load(folder)
        assert sorted(looked) == ["new.png", "red-001.png"]
        assert (sum(lengths(after)), after.checksum != before.checksum) == (29, True)
        assert "red/red-001.png" in after.note

    @pytest.mark.parametrize("content", ["", "[]", '{"version": 1}', '{"version": 9, "files": {}}', '{"files": 3}'])
    def test_that_a_damaged_one_is_made_anew(self, tmp_path, cache, content):
        folder = class_folders(tmp_path / "set", 10)
        first = load(folder)
        next((cache / "folders").iterdir()).write_text(content)
        assert load(folder).checksum == first.checksum

    def test_that_a_cache_that_cannot_be_written_costs_nothing_but_time(self, tmp_path, cache):
        cache.write_text("in the way")
        assert sum(lengths(load(class_folders(tmp_path / "set", 10)))) == 30

    def test_that_progress_is_told_in_bytes_up_to_all_of_them(self, tmp_path, monkeypatch):
        monkeypatch.setattr(image_index, "AT_ONCE", 7)
        folder, told = class_folders(tmp_path / "set", 10), []
        load(folder, lambda *args: told.append(args))
        total = sum(path.stat().st_size for path in folder.rglob("*.png"))
        assert [name for name, *_ in told] == ["set"] * 5
        assert told[-1] == ("set", total, total)
        assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)

    def test_that_what_was_done_is_kept_when_it_is_broken_off(self, tmp_path, monkeypatch, cache):
        monkeypatch.setattr(image_index, "AT_ONCE", 8)
        folder = class_folders(tmp_path / "set", 10)

        def stop(*_args):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            load(folder, stop)
        (kept,) = (cache / "folders").iterdir()
        assert len(json.loads(kept.read_text())["files"]) == 8

    def test_that_the_checksum_follows_the_bytes_and_neither_time_nor_place(self, tmp_path):
        one, other = (class_folders(tmp_path / name, 10) for name in ("one", "other"))
        os.utime(other / "red" / "red-000.png", ns=(1, 1))
        assert load(one).checksum == load(other).checksum
        path = other / "red" / "red-000.png"
        path.write_bytes(path.read_bytes() + b"\0")
        assert load(one).checksum != load(other).checksum


def plain(image: Image.Image, tmp_path: Path, *, channels=3, suffix=".png", **options) -> np.ndarray:
    """What is read of an image of SIDE x SIDE pixels that is taken whole."""
    path = tmp_path / f"image{suffix}"
    image.save(path, **options)
    return Recipe(SIDE, 1, channels).evaluated(path)


class TestDecoding:
    def test_that_an_image_of_the_right_size_is_read_as_it_is(self, tmp_path):
        image = picture((90, 120, 200), 3, (SIDE, SIDE))
        np.testing.assert_array_equal(plain(image, tmp_path), np.asarray(image))

    def test_that_gray_becomes_three_equal_channels_and_colour_one(self, tmp_path):
        image = picture((90, 120, 200), 3, (SIDE, SIDE))
        gray = plain(image.convert("L"), tmp_path)
        assert (gray[..., :1] == gray).all()
        np.testing.assert_array_equal(plain(image, tmp_path, channels=1)[..., 0], np.asarray(image.convert("L")))

    def test_that_what_is_transparent_is_white(self, tmp_path):
        image = Image.new("RGBA", (SIDE, SIDE), (200, 0, 0, 0))
        image.paste((10, 20, 30, 255), (0, 0, SIDE, 4))
        found = plain(image, tmp_path)
        assert (found[:4] == (10, 20, 30)).all()
        assert (found[4:] == 255).all()

    def test_that_a_palette_with_a_transparent_colour_is_read(self, tmp_path):
        image = Image.new("P", (SIDE, SIDE), 1)
        image.putpalette([255, 0, 0, 0, 0, 255])
        image.paste(0, (0, 0, SIDE, 4))
        found = plain(image, tmp_path, transparency=0)
        assert (found[:4] == 255).all()
        assert (found[4:] == (0, 0, 255)).all()

    def test_that_sixteen_bits_are_scaled_to_eight(self, tmp_path):
        ramp = np.linspace(0, 65535, SIDE * SIDE).reshape(SIDE, SIDE).astype(np.uint16)
        found = plain(Image.fromarray(ramp), tmp_path)
        np.testing.assert_array_equal(found[..., 0], ramp // 257)

    def test_that_cmyk_becomes_colour(self, tmp_path):
        found = plain(Image.new("CMYK", (SIDE, SIDE), (255, 0, 0, 0)), tmp_path, suffix=".jpg")
        assert (np.abs(found.astype(int) - (0, 255, 255)) < 8).all()

    @pytest.mark.parametrize(("orientation", "turned"), [(3, 2), (6, 3), (8, 1)])
    def test_that_a_photograph_is_turned_upright(self, tmp_path, orientation, turned):
        image, exif = picture((90, 120, 200), 3, (SIDE, SIDE)), Image.Exif()
        image.paste((0, 0, 0), (0, 0, SIDE, 5))
        exif[0x0112] = orientation
        found = plain(image, tmp_path, exif=exif)
        np.testing.assert_array_equal(found, np.rot90(np.asarray(image), turned))

    def test_that_the_middle_is_cut_out_to_evaluate(self, tmp_path):
        pixels = np.zeros((40, 80, 3), np.uint8)
        pixels[10:30, 30:50] = 200  # half of the shorter side
        Image.fromarray(pixels).save(tmp_path / "image.png")
        assert (Recipe(20, 0.5, 3).evaluated(tmp_path / "image.png") == 200).all()

    def test_that_a_large_photograph_is_read_nearly_as_it_would_be_in_full(self, tmp_path):
        picture((90, 120, 200), 4, (16, 12)).resize((1600, 1200), Image.Resampling.BICUBIC).save(tmp_path / "large.jpg")
        full = Image.open(tmp_path / "large.jpg").crop((200, 0, 1400, 1200)).resize((32, 32), Image.Resampling.BILINEAR)
        found = Recipe(32, 1, 3).evaluated(tmp_path / "large.jpg")
        assert np.abs(found.astype(int) - np.asarray(full)).mean() < 2

    def test_that_random_parts_lie_in_the_image_and_have_the_shares_and_ratios_that_were_asked_for(self):
        for draw in Draws(5, 0, range(400)).uniforms(UNIFORMS):
            left, top, right, bottom = random_box((300, 200), draw[:-1])
            assert 0 <= left < right <= 300 + 1e-9
            assert 0 <= top < bottom <= 200 + 1e-9
            area, ratio = (right - left) * (bottom - top) / 60_000, (right - left) / (bottom - top)
            assert 0.08 - 1e-9 <= area <= 1
            assert 3 / 4 - 1e-9 <= ratio <= 4 / 3 + 1e-9

    def test_that_where_no_part_fits_the_largest_of_the_middle_is_taken(self):
        hopeless = np.ones(UNIFORMS - 1)
        assert random_box((90, 30), hopeless) == (25, 0, 65, 30)

    def test_that_half_of_the_training_images_are_mirrored(self, tmp_path):
        pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
        pixels[:, SIDE // 2 :] = 255
        Image.fromarray(pixels).save(tmp_path / "half.png")
        whole = np.tile([1 - 1e-12, 0.5, 0, 0], 10)  # the whole image
        for last, bright in ((0.49, 0), (0.51, -1)):
            found = Recipe(SIDE, 1, 3).trained(tmp_path / "half.png", np.append(whole, last))
            assert (found[:, bright] == 255).all()
            assert (found[:, -1 - bright] == 0).all()


class TestDraws:
    def test_that_they_are_even_and_differ_by_seed_step_and_place(self):
        found = np.concatenate([Draws(seed, step, range(50)).uniforms(40) for seed in (0, 1) for step in range(20)])
        assert len(np.unique(found)) == found.size
        assert ((found >= 0) & (found < 1)).all()
        assert np.histogram(found, 10, (0, 1))[0] == pytest.approx(found.size / 10, rel=0.05)
        assert abs(np.corrcoef(found[:-1, 0], found[1:, 0])[0, 1]) < 0.05

    def test_that_a_shard_s_are_those_of_its_places(self):
        whole = Draws(7, 3, range(10)).uniforms(5)
        np.testing.assert_array_equal(Draws(7, 3, range(1, 10, 3)).uniforms(5), whole[1::3])


def batches_of(data: Data, steps: int, shard=Shard(), size=8) -> list[torch.Tensor]:  # noqa: B008
    """Batches of training, with an evaluation and a sample in between."""
    batches, found = Batches(data.train, size, 3, shard), []
    for step in range(steps):
        found.append(batches.at(step))
        if step == 3:
            found += [*data.validation.in_order(), *batches.sample(10)]
    data.close()
    return [tensor for batch in found for tensor in batch]


def assert_equal(one: list[torch.Tensor], other: list[torch.Tensor]) -> None:
    assert len(one) == len(other)
    assert all(torch.equal(*pair) for pair in zip(one, other, strict=True))


class TestStream:
    @pytest.fixture
    def folder(self, tmp_path) -> Path:
        return train_and_val(tmp_path / "set", 12, 4)

    def test_that_two_workers_give_the_batches_that_none_gives_and_end(self, folder):
        one, other = (batches_of(load(folder, augment=True, workers=workers), 11) for workers in (0, 2))
        assert_equal(one, other)
        assert multiprocessing.active_children() == []

    def test_that_any_step_can_come_first(self, folder):
        data = load(folder, augment=True)
        expected = [Batches(data.train, 8, 3)]
        whole = [expected[0].at(step) for step in range(11)]
        for step in (10, 4, 7):
            assert_equal(list(Batches(data.train, 8, 3).at(step)), list(whole[step]))

    def test_that_every_epoch_reads_every_image_in_another_order_and_another_part_of_it(self, folder):
        data = load(folder, augment=True)
        batches = Batches(data.train, 8, 3)
        epochs = [
            [batches.at(epoch * batches.per_epoch + place) for place in range(batches.per_epoch)] for epoch in (0, 1)
        ]
        labels = [torch.cat([label for _, label in epoch]) for epoch in epochs]
        assert not torch.equal(*labels)
        assert torch.equal(*(label.sort().values for label in labels))
        pixels = [torch.cat([images for images, _ in epoch]).flatten(1).sum(1).tolist() for epoch in epochs]
        assert not set(pixels[0]) & set(pixels[1])

    def test_that_without_augment_training_reads_what_evaluation_reads(self, folder):
        data = load(folder)
        images, labels = Batches(data.train, len(data.train), 3).at(0)
        order = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(3))
        whole, their_labels = data.train.collect(torch.arange(len(data.train)))
        assert torch.equal(images, torch.from_numpy(whole)[order])
        assert torch.equal(labels, torch.from_numpy(their_labels)[order])

    @pytest.mark.parametrize("of", [2, 3, 40])
    def test_that_shards_together_are_the_global_batch_and_the_split(self, folder, of):
        whole = Batches(load(folder, augment=True).train, 8, 3)
        parts = [Batches(load(folder, augment=True).train, 8, 3, Shard(rank, of)) for rank in range(of)]
        for step in range(6):
            images, labels = whole.at(step)
            for rank, part in enumerate(parts):
                assert_equal(list(part.at(step)), [images[rank::of], labels[rank::of]])
        data = load(folder)
        everything = torch.cat([images for images, _ in data.test.in_order()])
        for rank in range(of):
            mine = [images for images, _ in data.test.in_order(Shard(rank, of))]
            assert torch.equal(torch.cat(mine), everything[rank::of]) if mine else rank >= len(data.test)

    def test_that_pixels_are_normalised_by_channel(self, folder):
        data = load(folder, mean=(0.1, 0.2, 0.3), std=(0.5, 1.0, 2.0))
        raw = load(folder, mean=(0.0,) * 3, std=(1.0,) * 3)
        assert (data.mean, data.std) == ((0.1, 0.2, 0.3), (0.5, 1.0, 2.0))
        (found, _), (pixels, _) = (next(each.test.in_order()) for each in (data, raw))
        shift, scale = (torch.tensor(values)[:, None, None] for values in (data.mean, data.std))
        torch.testing.assert_close(found * scale + shift, pixels)
        assert pixels.min() >= 0
        assert pixels.max() <= 1

    def test_that_gray_images_have_one_channel(self, folder):
        data = load(folder, colours="gray")
        assert data.test.shape == (1, SIDE, SIDE)
        assert len(data.mean) == len(data.std) == 1
        assert next(data.test.in_order())[0].shape[1:] == (1, SIDE, SIDE)

    def test_that_torch_s_own_generator_is_left_alone(self, folder):
        torch.manual_seed(1)
        before = torch.get_rng_state()
        batches_of(load(folder, augment=True, workers=1), 5)
        assert torch.equal(before, torch.get_rng_state())

    def test_that_evaluation_is_bounded_by_bytes(self, folder, monkeypatch):
        monkeypatch.setattr("sparseviz.data.split.EVALUATION_BYTES", 5 * 3 * SIDE * SIDE * 4)
        assert [len(labels) for _, labels in load(folder).test.in_order()] == [5, 5, 2]

    def test_that_the_training_error_is_told_on_an_even_spread_of_a_long_stream(self, folder, monkeypatch):
        monkeypatch.setattr("sparseviz.data.image_stream.TOLD_IMAGES", 11)
        data = load(folder)
        told = data.train.told()
        assert (len(told), len(data.train)) == (11, 33)
        assert torch.equal(told.labels, data.train.labels[::3])
        assert_equal(list(next(told.in_order())), [tensor[::3] for tensor in next(data.train.in_order())])
