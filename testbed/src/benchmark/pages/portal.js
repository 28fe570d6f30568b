// The search shows its rows without another page, as most portals do by now.
const buscar = document.getElementById("buscar");
buscar?.addEventListener("click", async () => {
  const numero = document.getElementById("numero").value.trim();
  const respuesta = await fetch("/api/expedientes?numero=" + encodeURIComponent(numero));
  const filas = (await respuesta.json()).map(expediente => {
    const fila = document.createElement("tr");
    fila.dataset.numero = expediente.numero;
    fila.tabIndex = 0;
    for (const texto of [expediente.numero, expediente.asunto, expediente.estado]) {
      fila.insertCell().textContent = texto;
    }
    fila.addEventListener("click", () => location.assign("/expedientes/" + expediente.numero));
    return fila;
  });
  document.getElementById("resultados").replaceChildren(...filas);
});
