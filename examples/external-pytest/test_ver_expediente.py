"""Each test is a step of one journey: they share a browser, follow each other, and `-x` stops at the first that fails."""

import os

from selenium.webdriver.common.by import By

PORTAL = os.environ["PORTAL"]


def button(browser, name):
    return browser.find_element(By.XPATH, f"//button[normalize-space()='{name}']")


def page_text(browser):
    return browser.find_element(By.TAG_NAME, "main").text


def test_ingresar(browser):
    """Ingresar"""
    browser.get(f"{PORTAL}/ingreso")
    browser.find_element(By.ID, "usuario").send_keys("robot")
    browser.find_element(By.ID, "clave").send_keys(os.environ["CLAVE"])
    button(browser, "Ingresar").click()
    browser.find_element(By.XPATH, "//*[contains(text(), 'Bienvenido')]")


def test_buscar_expediente(browser):
    """Buscar expediente"""
    browser.find_element(By.LINK_TEXT, "Expedientes").click()
    browser.find_element(By.ID, "numero").send_keys("2026-004512")
    button(browser, "Buscar expediente").click()
    browser.find_element(By.LINK_TEXT, "Ver detalle")
    assert "1 expediente con el número 2026-004512" in page_text(browser)


def test_ver_detalle(browser):
    """Ver detalle"""
    browser.find_element(By.LINK_TEXT, "Ver detalle").click()
    browser.find_element(By.XPATH, "//*[contains(text(), 'Estado del trámite')]")
