// What the page says, in two languages.

const WORDS = {
  en: {
    model: "Model", language: "Language", theme: "Theme", system: "system", light: "light", dark: "dark",
    token: "Token of this server", use: "Use", documents: "Documents to work through", progress: "{0} of {1} saved",
    text: "Text", paste: "Paste a text, or open a file.", find: "Find events", open: "Open a text file …",
    found: "What is found", threshold: "Confidence at least", undo: "Undo", redo: "Redo", keys: "Keyboard",
    help: "In the text: ← → move, with Shift they select; [ and ] go to the event before and behind; T makes the selection a new "
      + "event's trigger, M moves the chosen event's trigger there, 1–9 give it the role of that number; Delete removes what stands at the cursor; "
      + "Ctrl+Z undoes, Ctrl+Y does again.",
    events: "Events", again: "Find arguments anew", save: "Save", export: "Export", tools: "What to do with the selection",
    newEvent: "New event", moveTrigger: "Move trigger here", type: "Event type", remove: "Remove", confidence: "Confidence {0} %",
    byHand: "by hand", shown: "{0} shown", selectFirst: "Select words in the text: drag, or use the keyboard.",
    selection: "Selected: {0}", working: "Working …", saved: "Saved.", none: "No event.", mark: "This run finds arguments only: mark "
      + "a trigger in the text, then find arguments anew.", advice: "This run finds arguments of marked triggers.", noTrigger: "without a trigger",
    unreachable: "The server does not answer.", beside: "Another run", compare: "Compare", sideBySide: "Side by side",
    differences: "differences: {0}", onlyHere: "only here", otherType: "other type", otherRole: "other role", nothing: "nothing",
    comparisons: "Comparisons", noRuns: "No run is served that finds events.",
    unsaved: "This document has corrections that are neither saved nor exported. Go on and lose them?",
    notText: "A text in a file .txt is expected, {0} is found. Documents in other formats are opened by eventune serve RUN --annotate DIR --documents FILE.",
  },
  zh: {
    model: "模型", language: "语言", theme: "外观", system: "跟随系统", light: "浅色", dark: "深色",
    token: "服务器令牌", use: "使用", documents: "待标注文档", progress: "已保存 {0} / {1}",
    text: "文本", paste: "粘贴一段文本，或打开文件。", find: "抽取事件", open: "打开文本文件……",
    found: "抽取结果", threshold: "置信度不低于", undo: "撤销", redo: "重做", keys: "键盘操作",
    help: "在文本中：← → 移动，按住 Shift 则选择；[ 与 ] 切换到上一个或下一个事件；T 把选中内容设为新事件的触发词，M 把当前事件的触发词移到此处，"
      + "1–9 赋予对应序号的角色；Delete 删除光标处的标注；Ctrl+Z 撤销，Ctrl+Y 重做。",
    events: "事件", again: "重新抽取论元", save: "保存", export: "导出", tools: "对选中内容的操作",
    newEvent: "新事件", moveTrigger: "将触发词移到此处", type: "事件类型", remove: "删除", confidence: "置信度 {0} %",
    byHand: "人工标注", shown: "显示 {0} 个", selectFirst: "请在文本中选择词语：拖动鼠标，或使用键盘。",
    selection: "已选中：{0}", working: "处理中……", saved: "已保存。", none: "没有事件。", mark: "该模型只抽取论元：请先在文本中标注触发词，再重新抽取论元。",
    advice: "该模型为已标注的触发词抽取论元。", noTrigger: "无触发词", unreachable: "服务器没有响应。",
    beside: "另一个模型", compare: "对比", sideBySide: "并排对比", differences: "差异：{0}", onlyHere: "仅此处有", otherType: "类型不同",
    otherRole: "角色不同", nothing: "无", comparisons: "对比实验", noRuns: "没有部署能抽取事件的模型。",
    unsaved: "此文档有修改尚未保存或导出。要放弃这些修改并继续吗？",
    notText: "需要 .txt 文本文件，而所选为 {0}。其他格式的文档请用 eventune serve RUN --annotate DIR --documents FILE 打开。",
  },
};

let chosen = "en";

export function choose(language) {
  chosen = language in WORDS ? language : "en";
  document.documentElement.lang = chosen;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = say(element.dataset.text);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", say(element.dataset.label));
  for (const element of document.querySelectorAll("[data-hint]")) element.placeholder = say(element.dataset.hint);
}

export function say(name, ...values) {
  return WORDS[chosen][name].replace(/\{(\d)\}/g, (_, place) => values[Number(place)]);
}
