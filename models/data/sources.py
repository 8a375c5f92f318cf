"""Raw material that ships with the Python packages and fonts: photographs, English sentences, Chinese words, fonts."""
import glob
import io
import random
import re
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

MEAN = np.array([.485, .456, .406], np.float32)
DEVIATION = np.array([.229, .224, .225], np.float32)

CHINESE = ("文字识别 深度学习 量化工具 北京市海淀区 上海浦东新区 高速公路 出口 欢迎光临 营业时间 请勿吸烟 小心地滑 人工智能 机器学习 开源软件 "
           "计算机科学 今天天气很好 明天会下雨 图书馆 火车站 地铁二号线 医院急诊 有限公司 发票号码 电话号码 生产日期 保质期十二个月 净含量 "
           "配料表 价格 优惠 付款成功 订单编号 收货地址 请输入密码 新闻联播 体育比赛 世界杯 音乐会 博物馆 长城 黄河 长江 泰山 西湖 春夏秋冬 "
           "东南西北 一二三四五 六七八九十").split()


def photographs():
    """Real photographs, longest side at most 1024, split into (calibration, evaluation) lists of different pictures."""
    import skimage
    import sklearn
    folder = Path(skimage.__file__).parent / "data"
    files = [folder / f for f in ("astronaut.png", "motorcycle_left.png", "hubble_deep_field.jpg", "ihc.png", "coffee.png",
                                  "retina.jpg", "chelsea.png", "rocket.jpg", "grass.png", "gravel.png", "camera.png",
                                  "brick.png", "coins.png", "moon.png")]
    files += [Path(sklearn.__file__).parent / "datasets/images" / f for f in ("china.jpg", "flower.jpg")]
    pictures = []
    for file in files:
        if file.exists():
            picture = Image.open(file).convert("RGB")
            picture.thumbnail((1024, 1024), Image.LANCZOS)
            pictures.append(picture)
    return pictures[0::2], pictures[1::2]


def random_crop(picture, rng, smallest=0.25):
    """A crop of random area and aspect, sometimes mirrored, with changed brightness and contrast."""
    width, height = picture.size
    for _ in range(20):
        area = width * height * rng.uniform(smallest, 1)
        aspect = np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
        w, h = int(round((area * aspect) ** .5)), int(round((area / aspect) ** .5))
        if 0 < w <= width and 0 < h <= height:
            x, y = rng.randint(0, width - w), rng.randint(0, height - h)
            picture = picture.crop((x, y, x + w, y + h))
            break
    if rng.random() < .5:
        picture = picture.transpose(Image.FLIP_LEFT_RIGHT)
    picture = ImageEnhance.Brightness(picture).enhance(rng.uniform(.75, 1.25))
    return ImageEnhance.Contrast(picture).enhance(rng.uniform(.8, 1.2))


def as_taken(picture, rng, noise):
    """What a camera and a file format do to a picture: blur, sensor noise, JPEG."""
    if rng.random() < .4:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(.3, 1.4)))
    if rng.random() < .5:
        pixels = np.asarray(picture, np.float32)
        pixels = pixels + noise.normal(0, rng.uniform(2, 14), pixels.shape)
        picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if rng.random() < .5:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=rng.randint(30, 90))
        picture = Image.open(buffer).convert("RGB")
    return picture


def sentences():
    """English sentences of the documentation that ships with Python and scikit-learn, in a fixed random order."""
    import sklearn
    from pydoc_data import topics
    texts = list(topics.topics.values())
    for file in sorted((Path(sklearn.__file__).parent / "datasets/descr").glob("*.rst")):
        texts.append(file.read_text(encoding="utf8", errors="replace"))
    for file in sorted(glob.glob("/usr/share/doc/*/copyright"))[:400]:
        texts.append(Path(file).read_text(encoding="utf8", errors="replace"))
    found = {}
    for text in texts:
        for part in re.split(r"\n\s*\n|(?<=[.!?])\s+(?=[A-Z])", re.sub(r"[`*|_]", "", text)):
            part = re.sub(r"\s+", " ", part).strip()
            letters = sum(c.isalpha() or c == " " for c in part)
            if 30 <= len(part) <= 300 and re.match(r"^[A-Z][a-z]+ [a-z]", part) and letters > .9 * len(part):
                found.setdefault(part.lower(), part)
    result = sorted(found.values())
    random.Random(1).shuffle(result)
    return result


def words():
    """English words, split into (calibration, evaluation) lists."""
    known = sorted({w for s in sentences() for w in re.findall(r"[A-Za-z][a-z]{2,11}", s)})
    random.Random(3).shuffle(known)
    return known[: len(known) // 2], known[len(known) // 2:]


def fonts():
    """(Latin fonts, Chinese fonts); the second may be empty."""
    latin = sorted(glob.glob("/usr/share/fonts/truetype/dejavu/*.ttf") + glob.glob("/usr/share/fonts/truetype/liberation*/*.ttf"))
    return [f for f in latin if "Math" not in f], glob.glob("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc")
