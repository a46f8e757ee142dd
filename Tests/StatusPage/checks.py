"""What somebody could find wrong with the page, as sentences. An empty list is a good page."""

import importlib.resources
import time
import typing

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

import chromium

# https://www.w3.org/TR/WCAG22/ at the levels A and AA, and the advice of axe-core itself.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

AXE = """
const [rules, done] = arguments;
// axe-core cannot judge the colors of what is scrolled out of sight inside of the page.
const opened = [...document.querySelectorAll('body *')].filter(
    element => getComputedStyle(element).overflowY !== 'visible' && element.scrollHeight > element.clientHeight + 1);
for (const element of opened) element.style.maxHeight = 'none';
axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations', 'incomplete'], preload: false})
    .then(found => done([...found.violations, ...found.incomplete].flatMap(rule => rule.nodes.map(node =>
        `${rule.id}: ${rule.help}: ${node.target.join(' ')}: ${node.failureSummary || ''} ${node.html}`))))
    .catch(error => done([`axe: ${error}`]))
    .finally(() => opened.forEach(element => element.style.removeProperty('max-height')));
"""

# Pieces of text are taken as they are painted, so a cell that is too narrow shows in its neighbor.
LAYOUT = """
const findings = [], boxes = [];
const name = element => `${element.tagName.toLowerCase()}${element.id ? '#' + element.id : ''} ` +
    JSON.stringify((element.innerText || element.textContent || '').trim().slice(0, 60));
// The part of a rectangle that the boxes around it do not hide. Skip links wait above the page until they are focused.
const shown = (element, rect) => {
    let [left, top, right, bottom] = [rect.left, Math.max(rect.top, -scrollY), rect.right, rect.bottom];
    for (let around = element.parentElement; around && around !== document.body; around = around.parentElement) {
        const style = getComputedStyle(around), box = around.getBoundingClientRect();
        if (style.overflowX !== 'visible') [left, right] = [Math.max(left, box.left), Math.min(right, box.right)];
        if (style.overflowY !== 'visible') [top, bottom] = [Math.max(top, box.top), Math.min(bottom, box.bottom)];
    }
    return {left, top, right, bottom, height: bottom - top};
};
const root = document.scrollingElement;
if (root.scrollWidth > root.clientWidth)
    findings.push(`the page scrolls sideways: ${root.scrollWidth} of ${root.clientWidth} px`);
for (const element of document.querySelectorAll('body *')) {
    if (!element.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
    const box = element.getBoundingClientRect(), style = getComputedStyle(element);
    // Text for screen readers alone is a box of one pixel.
    if (element.closest('svg') || box.width <= 1 || box.height <= 1) continue;
    if (element.innerText?.trim() && style.overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1)
        findings.push(`${['hidden', 'clip'].includes(style.overflowX) ? 'cut' : 'scrolls sideways'}: ${name(element)}`);
    if (element.innerText?.trim() && ['hidden', 'clip'].includes(style.overflowY) &&
        element.scrollHeight > element.clientHeight + 1) findings.push(`cut at its end: ${name(element)}`);
    for (const node of element.childNodes) {
        if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        for (const rect of range.getClientRects()) {
            if (rect.width < 1) continue;
            if (rect.left < -0.5 || rect.right > root.clientWidth + 0.5)
                findings.push(`beyond the window: ${name(element)} at ${rect.left} to ${rect.right}`);
            const part = shown(element, rect);
            if (part.right > part.left && part.bottom > part.top) boxes.push({element, rect: part});
        }
    }
}
boxes.sort((a, b) => a.rect.top - b.rect.top);
for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
    const [a, b] = [boxes[i].rect, boxes[j].rect];
    if (b.top > a.bottom) break;
    if (boxes[i].element === boxes[j].element) continue;
    const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (width > 1 && height > 0.3 * Math.min(a.height, b.height))
        findings.push(`overlaps: ${name(boxes[i].element)} and ${name(boxes[j].element)}`);
}
return findings;
"""

FOCUSABLE = """
window.lookedAt = [...document.querySelectorAll(
    'a[href], button, input, select, textarea, summary, [tabindex]:not([tabindex="-1"])')].filter(
    element => !element.disabled && element.checkVisibility({visibilityProperty: true}));
return window.lookedAt.map(element => (element.id || element.tagName.toLowerCase()) + ' ' +
    JSON.stringify((element.innerText || element.getAttribute('aria-label') || '').trim().slice(0, 40)));
"""

# The tab key goes on from where the focus was last.
TOP = """
getSelection().removeAllRanges();
document.body.tabIndex = -1;
document.body.focus();
document.body.removeAttribute('tabindex');
scrollTo(0, 0);
"""

FOCUSED = """
const element = document.activeElement;
if (!element || element === document.body) return null;
const style = getComputedStyle(element), box = element.getBoundingClientRect();
const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
const [x, y] = [box.left + box.width / 2, box.top + Math.min(box.height / 2, 10)];
const top = document.elementFromPoint(x, y);
return {place: window.lookedAt.indexOf(element), name: element.id || element.outerHTML.slice(0, 80),
    isMarked: outlined || style.boxShadow !== 'none',
    isSeen: !!top && (element.contains(top) || top.contains(element))};
"""


def accessibility(browser: chromium.Chromium) -> list[str]:
    """Returns what axe-core finds, with what it could not decide."""
    if not browser.run("return !!window.axe"):
        axe = importlib.resources.files("selenium_axe_python") / "axe-core" / "axe.min.js"
        browser.run(axe.read_text(encoding="utf-8"))
    return browser.driver.execute_async_script(AXE, RULES)


def layout(browser: chromium.Chromium) -> list[str]:
    """Returns text that is cut, covered or out of sight, and whatever scrolls sideways."""
    return browser.run(LAYOUT)


def press(browser: chromium.Chromium, key: str) -> None:
    """Presses a key, such as TAB or ENTER."""
    ActionChains(browser.driver).send_keys(getattr(Keys, key)).perform()


def type_text(browser: chromium.Chromium, text: str) -> None:
    """Types a text into what has the focus."""
    ActionChains(browser.driver).send_keys(text).perform()


def keyboard(browser: chromium.Chromium) -> list[str]:
    """Goes through the page with the tab key, from its beginning. Returns what it does not reach or show."""
    browser.run(TOP)
    names: list[str] = browser.run(FOCUSABLE)
    findings = [] if names else ["nothing can be focused"]
    reached: list[int] = []
    for _ in range(2 * len(names) + 20):
        press(browser, "TAB")
        focused: dict[str, typing.Any] | None = browser.run(FOCUSED)
        # The page scrolls to it, perhaps smoothly, and the focus may grow in.
        for _ in range(40):
            if focused is None or (focused["isSeen"] and focused["isMarked"]):
                break
            time.sleep(0.05)
            focused = browser.run(FOCUSED)
        if focused is None or (reached and focused["place"] == reached[0]):
            break
        if focused["place"] >= 0:
            reached.append(focused["place"])
        if not focused["isMarked"]:
            findings.append(f"nothing shows the focus of {focused['name']}")
        if not focused["isSeen"]:
            findings.append(f"something covers {focused['name']} while it has the focus")
    return findings + [
        f"the tab key does not reach {name}" for place, name in enumerate(names) if place not in reached
    ]


def focus(browser: chromium.Chromium, selector: str) -> bool:
    """Goes to an element with the tab key alone. Returns false if the key does not lead there."""
    browser.run(TOP)
    for _ in range(200):
        press(browser, "TAB")
        if browser.run("return document.activeElement.matches(arguments[0])", selector):
            return True
    return False
