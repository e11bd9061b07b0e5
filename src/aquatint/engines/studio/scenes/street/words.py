"""What the signs of a street say, by language; every character is in the shipped fonts."""

from __future__ import annotations

# On upright signs, one character above the other.
STANDING: dict[str, tuple[str, ...]] = {
    "japanese": (
        *("居酒屋", "ラーメン", "カラオケ", "電脳街", "夜市", "未来堂", "麻雀", "喫茶", "焼肉", "寿司", "ホテル"),
        *("酒場", "薬局", "茶館", "火鍋", "龍宮", "東京", "新宿", "渋谷", "サウナ", "ネオン", "古書店"),
        *("機械", "歌舞伎町", "質屋", "無限", "銀座", "夢幻", "食堂", "星空", "映画館"),
    ),
    "chinese": (
        *("火锅城", "茶餐厅", "大药房", "电脑城", "夜市", "未来馆", "麻将馆", "茶楼", "烧腊", "面馆", "大酒店"),
        *("酒家", "当铺", "书店", "龙宫", "霓虹", "网咖", "戏院", "桑拿", "眼镜", "牛肉面", "金店"),
        *("机械", "歌舞厅", "冰室", "无限", "银座", "梦幻", "食府", "星空", "电影院", "小笼包"),
    ),
    "english": ("BAR", "HOTEL", "NOODLES", "CLUB", "NEON", "CAFE", "24H", "CYBER", "DATA", "OPEN", "JAZZ", "DINER"),
}

# On boards above shops and between floors.
LYING: dict[str, tuple[str, ...]] = {
    "japanese": (
        *("ラーメン 一番", "居酒屋 竹", "電脳商店", "夜の喫茶", "寿司 花", "焼肉 龍", "薬 くすり", "書店 BOOKS"),
        *("NEON ARCADE", "コンビニ 24", "COFFEE", "MUSIC 音楽", "東京夜市", "GAME CENTER", "純喫茶 月"),
    ),
    "chinese": (
        *("重庆火锅", "老字号茶楼", "电脑商店", "深夜食堂", "小面 一番", "烧腊 龙记", "大药房", "书店 BOOKS"),
        *("NEON ARCADE", "便利店 24", "COFFEE", "音乐 MUSIC", "霓虹夜市", "游戏中心", "手机 MOBILE", "牛肉面馆"),
    ),
    "english": (
        *("NOODLE BAR", "ALL NIGHT", "DATA SHOP", "CAFE LUNA", "SUSHI", "GRILL 52", "PHARMACY", "BOOKS"),
        *("NEON ARCADE", "DELI 24", "COFFEE", "RECORDS", "NIGHT MARKET", "GAME CENTER", "PIZZA", "HOTEL ROMA"),
    ),
}

# On the gate across the street.
GATES: dict[str, tuple[str, ...]] = {
    "japanese": ("歌舞伎町一番街", "電脳横丁", "夜市通り", "未来銀座", "龍宮横丁"),
    "chinese": ("霓虹不夜城", "电脑街", "夜市街", "未来大道", "龙宫里"),
    "english": ("NEON ALLEY", "NIGHT MARKET", "ELECTRIC AVENUE", "MOON STREET"),
}
