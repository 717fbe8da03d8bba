"""Names that are common: Chinese surnames, English given names, and words that look like names and are none.

Written from general knowledge, not from a list of persons. A given name that is
also a word (Grace, Mark, Will) counts only where the words around it say so.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林郑谢罗梁宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁"
    "任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴"
    "莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅"
    "童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳欧管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简"
    "车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄"
    "丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉伊仝区"
    "郜海阚花权强帅屠豆朴盖练廉禹井祖漆巴丰支卿国狄平计索宣晋相初门云容敬来扈晁芮都普阙浦戈伏鹿薄邸雍"
    "辜羊阿乌母裘亓修邰赫杭况那宿鲜印逯隆茹诺战慕危玉银亢嵇公哈湛宾戎勾茅利於呼居揭干但尉冶斯元束檀衣"
    "信展阴昝智幸奉植衡富尧闭由"
)
COMPOUND_SURNAMES = _words(
    """
    欧阳 上官 司马 诸葛 东方 皇甫 尉迟 公孙 慕容 令狐 司徒 司空 夏侯 端木
    长孙 宇文 轩辕 南宫 独孤 百里 呼延 西门 闻人 澹台 钟离 申屠 太史 濮阳
    """
)
NOT_BEFORE_TITLE = frozenset("这那哪各位的和有是让叫请给我你您他她找对跟与该本某一位些")
"""Surnames or not, before 先生 these are nearly always other words."""
TITLED_SURNAMES = SURNAMES - NOT_BEFORE_TITLE

GIVEN = _words(
    """
    aaron abigail adam adrian aidan alan albert alejandro alex alexander alexandra alexis alfred alice
    alicia alison allison amanda amber amelia amy ana andrea andreas andrew angela angelica anita ann
    anna anne annie anthony antonio april ariana arthur ashley audrey austin barbara beatrice ben
    benjamin bernard bethany betty beverly bob bobby bonnie brad bradley brandon brenda brett brian
    brittany bruce bryan caleb cameron camille carl carla carlos carmen carol caroline carolyn catherine
    cathy charles charlie charlotte chelsea cheryl chloe chris christian christina christine christopher
    cindy claire clara claudia colin connie connor craig crystal cynthia daniel daniela danielle danny
    darren dave david dawn dean deborah debra denise dennis derek diana diane diego donald donna doris
    dorothy douglas dylan edward edwin eileen elaine eleanor elena elijah elizabeth ella ellen emily
    emma emmanuel eric erica erik erin ethan eugene eva evan evelyn felicia fernando fiona florence
    frances francis francisco frank fred frederick gabriel gabriela gary gavin geoffrey george gerald
    gina giovanni gloria gordon greg gregory hannah harold harriet harry heather hector heidi helen
    henry howard hugh ian ingrid irene isaac isabel isabella jack jackie jacob jacqueline jake james
    jamie jane janet janice jasmine jason javier jean jeff jeffrey jenna jennifer jenny jeremy jerry
    jesse jessica jill jim jimmy joan joanna joe joel john johnny jon jonathan jordan jorge jose joseph
    joshua joyce juan judith judy julia julian julie justin karen karl kate katherine kathleen kathryn
    kathy katie kayla keith kelly ken kenneth kevin kimberly kristen kristin kyle larry laura lauren
    laurie lawrence leah leo leon leonard leslie lewis liam linda lindsay lisa logan lois lori louis
    louise lucas lucia lucy luis luke lydia lynn madison maggie malcolm manuel marcus margaret maria
    marie marilyn mario marissa marjorie martha martin marvin mary mateo matt matthew maureen megan
    melanie melissa michael michele michelle miguel mike mildred mitchell mohamed mohammed molly monica
    morgan muhammad nancy naomi natalie natasha nathan nathaniel neil nicholas nick nicolas nicole nina
    noah nora norma olivia oliver omar oscar owen pablo pamela patricia patrick paul paula pauline pedro
    peggy peter philip phillip phyllis priya rachel rafael ralph randy raymond rebecca ricardo richard
    rick ricky rita robert roberta robin rodney roger roland ronald rosemary ross roy russell ruth ryan
    sally samantha samuel sandra santiago sara sarah scott sean sebastian sergio shannon sharon shaun
    shawn sheila shirley sofia sophia sophie stacy stanley stephanie stephen steve steven stuart susan
    suzanne sylvia tamara tanya taylor teresa terry thelma theodore theresa thomas tiffany tim timothy
    tina todd tom tommy tony tracy travis trevor tyler valerie vanessa veronica victor victoria vincent
    virginia vivian walter wanda warren wayne wendy wesley william yvonne zachary zoe
    """
)
AMBIGUOUS_GIVEN = _words(
    """
    amber april austin charlotte chelsea christian crystal dawn dean grace hope jack jean jordan joy
    madison mark may morgan rich rose ruby sterling sidney victoria virginia will florence frank bill
    page chase drew gene grant harry jasmine london paris sandy scarlet summer sunny taylor brandy
    destiny faith ginger heather iris ivy melody robin rusty shannon angel
    """
)
GENERIC = _words(
    """
    agent agents assistant bot chatbot user customer client guest admin administrator operator support
    system human visitor service helpdesk representative rep advisor staff team member seller buyer shop
    store sales anonymous unknown none null
    客服 客户 用户 顾客 机器人 助手 小助手 智能客服 人工客服 系统 坐席 商家 卖家 买家 店铺
    访客 管理员 匿名
    会员 先生 女士
    """
)
"""Author names that name a role, not a person."""
NOT_NAMES = _words(
    """
    i'm it's you're st street ave avenue road police airport station hotel university college hospital
    there all team everyone everybody folks guys sir madam madame support customer service sirs friend
    friends again both you mom dad i me my we our it the this that just not very so still here sure
    sorry glad happy trying writing calling having looking going getting using unable able afraid
    currently also now today tomorrow back home done fine ok okay good great interested waiting
    wondering thank thanks please hello hi hey dear best kind regards sincerely cheers from with for and
    but or if when what how who why where yes no well really only new old locked missing being in on at
    to a an being currently looking monday tuesday wednesday thursday friday saturday sunday january
    february march june july august september october november december english chinese american british
    german french spanish amazon apple google microsoft facebook twitter paypal order account card phone
    email number address name goodbye bye
    """
)
NOT_GIVEN_ZH = frozenset(
    "不没有的了是在我你您他她它们这那什么怎么哪谁吗呢吧啊呀哦嗯就都也还很太最更又再已被把对从到为及或但而则"
    "要能请问给让叫说买卖退换货款单号码电话手机收件快递订址，。！？"
)
"""Characters of everyday sentences that end a name rather than belong to it."""
