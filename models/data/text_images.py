#!/usr/bin/env python3
"""Rendered text lines for PP-OCR recognition and orientation, rendered pages for PP-OCR detection."""
import random
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import sources

LINE_HEIGHT, RECOGNITION_WIDTH, ORIENTATION_WIDTH, PAGE = 48, 320, 192, 480


class Writer:
    """Draws text of one split (calibration or evaluation) with its own words, photographs and random numbers."""

    def __init__(self, split, seed):
        self.rng, self.noise = random.Random(seed), np.random.default_rng(seed)
        self.words = sources.words()[split]
        self.chinese = sources.CHINESE[split::2]
        self.photographs = sources.photographs()[split]
        self.latin_fonts, self.chinese_fonts = sources.fonts()

    def text(self):
        """(text, font file)"""
        rng, chance = self.rng, self.rng.random()
        if chance < .3 and self.chinese_fonts:
            return rng.choice(self.chinese), rng.choice(self.chinese_fonts)
        if chance < .45:
            text = rng.choice([f"{rng.uniform(1, 99999):,.2f}", f"No.{rng.randint(1, 10 ** 8)}", f"{rng.randint(1, 100)}%",
                               f"{rng.randint(1990, 2030)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
                               f"${rng.randint(1, 999)}.{rng.randint(0, 99):02d}", f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}"])
        else:
            text = " ".join(rng.choice(self.words) for _ in range(rng.randint(1, 3)))
            text = rng.choice([text, text, text.upper(), text.title()])
        return text, rng.choice(self.latin_fonts)

    def colours(self):
        """Ink and paper of enough contrast."""
        while True:
            ink, paper = (tuple(self.rng.randint(0, 255) for _ in range(3)) for _ in range(2))
            if abs(np.dot(ink, [.3, .59, .11]) - np.dot(paper, [.3, .59, .11])) > 70:
                return ink, paper

    def line(self):
        """(image, text)"""
        rng = self.rng
        text, file = self.text()
        font = ImageFont.truetype(file, rng.randint(22, 56))
        left, top, right, bottom = font.getbbox(text)
        pad_x, pad_y = rng.randint(2, 14), rng.randint(2, 10)
        size = (right - left + 2 * pad_x, bottom - top + 2 * pad_y)
        ink, paper = self.colours()
        image = Image.new("RGB", size, paper)
        if rng.random() < .35:
            photograph = sources.random_crop(rng.choice(self.photographs), rng, .05).resize(size)
            image = Image.blend(photograph, image, rng.uniform(.4, .7))
        ImageDraw.Draw(image).text((pad_x - left, pad_y - top), text, font=font, fill=ink)
        if rng.random() < .4:
            image = image.rotate(rng.uniform(-2.5, 2.5), Image.BICUBIC, expand=True, fillcolor=image.getpixel((0, 0)))
        return sources.as_taken(image, rng, self.noise), text

    def document(self):
        rng, shade = self.rng, self.rng.randint(225, 255)
        image = Image.new("RGB", (PAGE, PAGE), (shade, shade, shade))
        draw = ImageDraw.Draw(image)
        size, margin, y = rng.randint(12, 26), rng.randint(8, 50), rng.randint(8, 40)
        font = ImageFont.truetype(rng.choice(self.latin_fonts), size)
        while y < PAGE - 40:
            text = ""
            while font.getlength(text) < (PAGE - 2 * margin) * rng.choice([1, 1, 1, .6]):
                text = (text + " " + rng.choice(self.words)).strip()
            draw.text((margin, y), text, font=font, fill=(rng.randint(0, 70),) * 3)
            y += int(size * rng.uniform(1.25, 1.9))
        return image

    def scene(self):
        rng = self.rng
        image = sources.random_crop(rng.choice(self.photographs), rng, .3).resize((PAGE, PAGE), Image.BILINEAR)
        draw = ImageDraw.Draw(image)
        for _ in range(rng.choice([0, 1, 2, 3, 5, 8])):
            text, file = self.text()
            font = ImageFont.truetype(file, rng.randint(14, 60))
            width = font.getlength(text)
            if width > PAGE - 20:
                continue
            place = (rng.randint(4, int(PAGE - width - 8)), rng.randint(4, PAGE - 80))
            ink, paper = self.colours()
            if rng.random() < .5:
                left, top, right, bottom = draw.textbbox(place, text, font=font)
                draw.rectangle((left - 6, top - 6, right + 6, bottom + 6), fill=paper)
            draw.text(place, text, font=font, fill=ink)
        return image

    def page(self):
        image = self.document() if self.rng.random() < .4 else self.scene()
        if self.rng.random() < .4:
            image = image.rotate(self.rng.uniform(-8, 8), Image.BICUBIC, fillcolor=(128, 128, 128))
        return sources.as_taken(image, self.rng, self.noise)


def line_input(image, width):
    """[3, 48, width] in BGR, scaled to [-1, 1], zero padding on the right: how PP-OCR is fed."""
    scaled = min(width, int(np.ceil(LINE_HEIGHT * image.size[0] / image.size[1])))
    pixels = np.asarray(image.resize((scaled, LINE_HEIGHT), Image.BILINEAR), np.float32)[:, :, ::-1]
    result = np.zeros((3, LINE_HEIGHT, width), np.float32)
    result[:, :, :scaled] = (pixels.transpose(2, 0, 1) / 255 - .5) / .5
    return result


def page_input(image):
    pixels = np.asarray(image, np.float32)[:, :, ::-1] / 255
    return ((pixels - sources.MEAN) / sources.DEVIATION).transpose(2, 0, 1)


def main():
    out = Path(sys.argv[1])
    for name, split, lines, pages in (("calibration", 0, 64, 24), ("evaluation", 1, 192, 48)):
        writer = Writer(split, 11 + split)
        recognition, orientation, turned, texts = [], [], [], []
        while len(recognition) < lines:
            image, text = writer.line()
            if image.size[0] * LINE_HEIGHT / image.size[1] > RECOGNITION_WIDTH + 20:
                continue
            recognition.append(line_input(image, RECOGNITION_WIDTH))
            texts.append(text)
            turned.append(int(writer.rng.random() < .5))
            orientation.append(line_input(image.rotate(180) if turned[-1] else image, ORIENTATION_WIDTH))
        np.savez(out / "ppocr_rec" / f"{name}.npz", x=np.stack(recognition))
        np.savez(out / "ppocr_cls" / f"{name}.npz", x=np.stack(orientation))
        if name == "evaluation":
            np.save(out / "ppocr_cls" / "labels.npy", np.array(turned, np.int64))
            np.save(out / "ppocr_rec" / "texts.npy", np.array(texts))
        pages = np.stack([page_input(writer.page()) for _ in range(pages)]).astype(np.float32)
        np.savez(out / "ppocr_det" / f"{name}.npz", x=pages)


if __name__ == "__main__":
    main()
