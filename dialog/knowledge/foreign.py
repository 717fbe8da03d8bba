"""Questions that hardly any company's documents answer: the far end of what is unanswerable."""

from __future__ import annotations

from collections.abc import Mapping

from dialog.values import Language

_ENGLISH = """
Who painted the ceiling of the Sistine Chapel?
How do I prune an old apple tree in winter?
What is the boiling point of mercury?
Which team won the football cup last year?
Can you explain how photosynthesis works?
How many moons does Saturn have?
What should I wear to a wedding in June?
Why do cats purr?
Is it going to rain tomorrow afternoon?
How do I tune a violin?
Who wrote the first detective novel?
What time does the last train to the coast leave?
How long do I boil an egg so the yolk stays soft?
What is the square root of 2209?
Do penguins live at the North Pole?
Which exercises help against back pain?
How did the Roman Empire fall?
Can you recommend a film for a rainy evening?
What does the word serendipity mean?
How do vaccines train the immune system?
Where do swallows spend the winter?
How is parmesan made?
What colour do you get from blue and yellow?
Who invented the steam engine?
How do I teach a dog to sit?
Why is the sea salty?
What are the rules of chess for castling?
How fast does light travel?
How do I write a condolence letter?
What is the capital of Mongolia?
"""

_CHINESE = """
西斯廷教堂的天顶画是谁画的？
冬天怎么给老苹果树剪枝？
水银的沸点是多少度？
去年足球杯赛哪个队夺冠了？
光合作用的原理是什么？
土星有多少颗卫星？
六月参加婚礼穿什么合适？
猫为什么会打呼噜？
明天下午会下雨吗？
小提琴怎么调音？
第一部侦探小说是谁写的？
去海边的末班火车几点开？
溏心蛋要煮几分钟？
两千二百零九的平方根是多少？
北极有企鹅吗？
什么运动能缓解腰痛？
罗马帝国是怎么灭亡的？
推荐一部适合雨天看的电影好吗？
“缘分”这个词用英语怎么说？
疫苗是怎么训练免疫系统的？
燕子在哪里过冬？
豆腐是怎么做出来的？
蓝色加黄色是什么颜色？
蒸汽机是谁发明的？
怎么教小狗坐下？
海水为什么是咸的？
象棋里马怎么走？
光一秒钟能跑多远？
唐朝一共有多少位皇帝？
蒙古国的首都叫什么？
"""

FOREIGN: Mapping[Language, tuple[str, ...]] = {
    "en": tuple(_ENGLISH.strip().splitlines()),
    "zh": tuple(_CHINESE.strip().splitlines()),
}
