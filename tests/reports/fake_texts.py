"""Names, claims and sentences of the fake desk in Chinese and English, some of it hostile; no model wrote them."""

from __future__ import annotations

from typing import Any

ZH_SOURCES = ["东岸财经", "矿业周览", "南方产经网", "环球观察站", "磁材在线", "北辰新闻社"]
EN_SOURCES = [
    "Harbor Wire",
    "The Pacific Ledger",
    "Metals & Magnets Weekly",
    "Capitol Dispatch",
    "Straits Courier",
]


HOSTILE_TITLES = [
    "<script>window.hacked=1</script>稀土出口",
    '"><img src=x onerror="window.hacked=1"> magnets',
    "</script><script>window.hacked=1</script>",
    "{{ 7*7 }} [link](javascript:window.hacked=1) | `code` *bold* <!-- comment",
    "\u202egnp.exe stockpile\u202c & <b>bold</b>",
]
HOSTILE_URLS = [
    "javascript:window.hacked=1",
    "data:text/html,<script>window.hacked=1</script>",
    "  JaVaScRiPt:alert(1)",
]


# Slug to names, claim, stories a week, sentences and the chance that a story supports, by third of the weeks.
STORIES: dict[str, dict[str, Any]] = {
    "china-leverage": {
        "zh": "中国稀土杠杆",
        "en": "China leverage",
        "origin": "defined",
        "claim_zh": "中国对稀土的主导地位使其对对手握有决定性的筹码。",
        "claim_en": "China's dominance in rare earths gives it decisive leverage over its rivals.",
        "weekly": [4, 3, 5, 4, 3, 5, 8, 7, 5, 4, 4, 12],
        "supports": [0.7, 0.7, 0.3],
        "texts_zh": [
            "出口许可证的审批周期拉长到四十五个工作日，几家德国车企已经通知供应商准备停线。",
            "一位不愿具名的采购经理说，谁掌握镝和铽，谁就掌握谈判桌的节奏。",
            "商务部表示，民用合规贸易不受影响。",
            "也有分析认为，管制用一次就少一次，买家正在加速寻找替代来源。",
            "公告暂停一年之后，许可证窗口重新排起了长队。",
        ],
        "texts_en": [
            "Export licences now take up to 45 working days, and two car makers have warned of stoppages.",
            '"Whoever controls dysprosium sets the pace at the table," said a purchasing manager.',
            "The ministry said that compliant civilian trade is not affected.",
            "Others argue that the lever weakens each time it is pulled, because buyers are leaving.",
            "Queues at the licence window returned after the one-year suspension.",
        ],
        "kw_zh": ["出口许可", "管制", "筹码"],
        "kw_en": ["export licence", "controls", "leverage"],
    },
    "us-self-sufficiency": {
        "zh": "美国自给",
        "en": "US self-sufficiency",
        "origin": "defined",
        "claim_zh": "美国能够摆脱对中国稀土和磁体的依赖。",
        "claim_en": "The United States can make itself independent of Chinese rare earths and magnets.",
        "weekly": [3, 3, 2, 3, 4, 3, 3, 4, 6, 3, 3, 3],
        "supports": [0.5, 0.5, 0.7],
        "texts_zh": [
            "得州沃斯堡的工厂把第一批车用磁体装上了卡车。",
            "五角大楼的保底价让银行重新打开了档案。",
            "一位前工程师提醒，重稀土分离仍是短板，五年内补不上。",
            "公司没有披露良率。",
        ],
        "texts_en": [
            "The Fort Worth plant loaded its first automotive magnets onto trucks this week.",
            "A price floor from the Pentagon has let lenders reopen files closed in 2023.",
            "A former engineer warned that separating heavy rare earths will stay the gap for five years.",
            "The company gave no yield.",
        ],
        "kw_zh": ["保底价", "沃斯堡", "磁体厂"],
        "kw_en": ["price floor", "fort worth", "pentagon"],
    },
    "malaysia-hedging": {
        "zh": "马来西亚左右逢源",
        "en": "Malaysia hedging",
        "origin": "defined",
        "claim_zh": "马来西亚在大国之间对冲，以建立自己的稀土产业。",
        "claim_en": "Malaysia is hedging between the powers to build its own rare earth industry.",
        "weekly": [1, 2, 2, 1, 2, 1, 2, 1, 3, 2, 1, 2],
        "supports": [0.6, 0.5, 0.5],
        "texts_zh": [
            "吉隆坡一边维持原矿出口禁令，一边与国库控股商谈中方技术合作。",
            "关丹的韩资磁体厂计划年产三千吨。",
            "反对党议员批评政策前后矛盾。",
        ],
        "texts_en": [
            "Kuala Lumpur keeps its ban on raw exports while Khazanah talks to a Chinese technology partner.",
            "A South Korean magnet plant in Kuantan plans 3,000 tonnes a year.",
            "An opposition lawmaker called the policy incoherent.",
        ],
        "kw_zh": ["关丹", "国库控股", "原矿禁令"],
        "kw_en": ["kuantan", "khazanah", "raw export ban"],
    },
    "": {
        "zh": "深海稀土泥",
        "en": "deep-sea mud",
        "origin": "discovered",
        "claim_zh": "",
        "claim_en": "",
        "weekly": [2, 3, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0],
        "supports": None,
        "texts_zh": ["日本将在南鸟岛附近试采六千米深的稀土泥。", "国际海底管理局的会议不欢而散。"],
        "texts_en": [
            "Japan will test lifting mud from six kilometres near Minamitorishima.",
            "Talks at the seabed authority ended without a mining code.",
        ],
        "kw_zh": ["南鸟岛", "海底", "稀土泥"],
        "kw_en": ["seabed", "minamitorishima", "nodules"],
    },
    "kachin": {
        "zh": "克钦矿区供应",
        "en": "Kachin mine supply",
        "origin": "discovered",
        "drafted": True,
        "claim_zh": "克钦的战事威胁重稀土供应。",
        "claim_en": "Fighting in Kachin threatens the supply of heavy rare earths.",
        "weekly": [0, 0, 0, 5, 6, 5, 4, 3, 3, 2, 1, 1],
        "supports": [0.6, 0.6, 0.6],
        "texts_zh": ["板瓦口岸只放行农产品，六十辆矿车在山路上等了三天。", "氧化镝价格一周上涨百分之四。"],
        "texts_en": [
            "The Pangwa gate let only farm goods through; sixty ore trucks waited three days.",
            "Dysprosium oxide rose four per cent in a week.",
        ],
        "kw_zh": ["板瓦", "克钦独立军", "氧化镝"],
        "kw_en": ["kachin", "pangwa", "dysprosium"],
    },
    "river": {
        "zh": "泰北河流砷污染",
        "en": "arsenic in Thai rivers",
        "origin": "discovered",
        "claim_zh": "",
        "claim_en": "",
        "weekly": [0, 0, 0, 0, 0, 0, 0, 4, 4, 3, 4, 3],
        "supports": None,
        "texts_zh": ["清莱府公布夜柯河新一轮水样，砷含量超标一倍。", "塔通的渔民说，鱼卖不掉了。"],
        "texts_en": [
            "New samples from the Kok show arsenic at twice the limit, Chiang Rai said.",
            "Fishermen at Tha Ton say nobody buys their fish.",
        ],
        "kw_zh": ["砷", "夜柯河", "清莱"],
        "kw_en": ["arsenic", "kok river", "chiang rai"],
    },
    "recycling": {
        "zh": "磁体回收",
        "en": "magnet recycling",
        "origin": "discovered",
        "claim_zh": "",
        "claim_en": "",
        "weekly": [0, 0, 0, 0, 0, 0, 0, 0, 6, 7, 7, 1],
        "supports": None,
        "texts_zh": ["赣州一家回收厂用氢破碎处理报废风机磁体，回收率九成五。", "废料价格三周涨了一成。"],
        "texts_en": [
            "A plant outside Leeds recovers magnets from old hard disks by hydrogen decrepitation.",
            "Scrap prices are up a tenth in three weeks.",
        ],
        "kw_zh": ["回收", "氢破碎", "废料"],
        "kw_en": ["recycling", "scrap", "hydrogen decrepitation"],
    },
    "stockpile": {
        "zh": "欧盟<b>联合</b>储备",
        "en": "EU joint stockpile </title><script>window.hacked=1</script>",
        "origin": "discovered",
        "claim_zh": "",
        "claim_en": "",
        "weekly": [0] * 11 + [6],
        "supports": None,
        "texts_zh": ["布鲁塞尔提议把磁体纳入联合储备，先从六个月用量起步。", "谁出钱，各国还没有谈拢。"],
        "texts_en": [
            "Brussels wants a joint stockpile of magnets worth six months of use.",
            "Who pays has not been settled.",
        ],
        "kw_zh": ["联合储备", "<i>欧盟</i>"],
        "kw_en": ["stockpile", "brussels", '"quoted" & raw'],
    },
    "licence-queues": {
        "zh": "许可证排队",
        "en": "licence queues",
        "origin": "discovered",
        "claim_zh": "",
        "claim_en": "",
        "weekly": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        "supports": None,
        "texts_zh": [],
        "texts_en": [],
        "kw_zh": ["许可证"],
        "kw_en": ["queue"],
    },
}
NOISE_ZH = ["存储芯片合约价再涨一成", "某锂企三季度净利润同比下降", "铜价创年内新高", "光伏玻璃去库存"]
NOISE_EN = [
    "Lithium miner trims guidance",
    "Copper hits a yearly high",
    "Memory prices climb again",
    "Solar glass glut",
]
